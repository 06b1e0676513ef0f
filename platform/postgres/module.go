package postgres

import (
	"go.uber.org/fx"
	"go.uber.org/zap"

	"telltale/config"
)

// Module needs a *Schema. It provides the *DB, which connects when the program starts and closes after everything that was built upon it has
// stopped, and its probe in the group "probes".
var Module = fx.Module("postgres",
	fx.Provide(
		provide,
		fx.Annotate((*DB).Probe, fx.ResultTags(`group:"probes"`)),
	),
)

func provide(lc fx.Lifecycle, cfg config.Config, schema *Schema, log *zap.Logger) *DB {
	db := New(cfg.DB, cfg.DataDir, schema, log.Named("postgres"))
	lc.Append(fx.StartStopHook(db.Start, db.Stop))
	return db
}
