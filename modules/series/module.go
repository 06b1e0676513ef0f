package series

import (
	"go.uber.org/fx"

	"telltale/config"
	"telltale/platform/postgres"
)

// Module provides the registry.
var Module = fx.Module("series",
	fx.Provide(func(db *postgres.DB, limits config.Readings) *Registry {
		registry := NewRegistry(db)
		registry.Limit(limits.MaxSeries)
		return registry
	}),
)
