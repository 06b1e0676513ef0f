package devices

import (
	_ "embed"

	"go.uber.org/fx"

	"telltale/config"
	"telltale/modules/auth"
	"telltale/platform/httpserver"
	"telltale/platform/openapi"
	"telltale/platform/postgres"
)

//go:embed openapi.yaml
var openAPI []byte

// Module provides the registry of series and the API of devices. It needs a Dropper, which is whoever keeps the readings.
var Module = fx.Module("devices",
	fx.Provide(
		func(db *postgres.DB, limits config.Readings) *Registry {
			registry := NewRegistry(db)
			registry.Limit(limits.MaxSeries)
			return registry
		},
		func(db *postgres.DB, registry *Registry, dropper Dropper) *Service {
			return NewService(db, registry, dropper)
		},
		fx.Annotate(
			func(service *Service, guard *auth.Guard) httpserver.Routes { return Routes(service, guard) },
			fx.ResultTags(`group:"routes"`),
		),
		fx.Annotate(
			func() openapi.Fragment { return openapi.Fragment{Name: "devices", YAML: openAPI} },
			fx.ResultTags(`group:"openapi"`),
		),
	),
)
