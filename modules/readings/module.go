package readings

import (
	"context"
	_ "embed"

	"go.uber.org/fx"
	"go.uber.org/zap"

	"telltale/config"
	"telltale/modules/auth"
	"telltale/modules/devices"
	"telltale/platform/httpserver"
	"telltale/platform/openapi"
	"telltale/platform/postgres"
)

//go:embed openapi.yaml
var openAPI []byte

// Module provides the log, its tail, the recent window, and the API of readings. It starts and stops what runs in the
// background: the tail first, since the others build on it, and last to stop.
var Module = fx.Module("readings",
	fx.Provide(
		NewLog,
		func(cfg config.Readings) *Window { return NewWindow(cfg.WindowBytes) },
		NewTail,
		func(log *Log, tail *Tail, registry *devices.Registry, cfg config.Readings, logger *zap.Logger) *Appender {
			return NewAppender(log, tail, registry, cfg.MaxQueuedReadings, logger)
		},
		func(db *postgres.DB, log *Log, window *Window, cfg config.Readings, logger *zap.Logger) *Folder {
			return NewFolder(db, log, window, cfg.FoldInterval, cfg.FoldReadings, cfg.LogRetention, logger)
		},
		newService,
		func(service *Service) devices.Dropper { return service },
		fx.Annotate(
			func(service *Service, guard *auth.Guard, cfg config.HTTP) httpserver.Routes {
				return Routes(service, guard, cfg.MaxBodyBytes)
			},
			fx.ResultTags(`group:"routes"`),
		),
		fx.Annotate(
			func() openapi.Fragment { return openapi.Fragment{Name: "readings", YAML: openAPI} },
			fx.ResultTags(`group:"openapi"`),
		),
		fx.Annotate((*Service).Probe, fx.ResultTags(`group:"probes"`)),
	),
	fx.Invoke(run),
)

// reservedConnections are those that history leaves to ingest, the tail, the fold and logins.
const reservedConnections = 4

func newService(
	db *postgres.DB, log *Log, tail *Tail, window *Window, appender *Appender, folder *Folder, registry *devices.Registry,
	limits config.Readings, pool config.DB,
) *Service {
	queries := max(1, pool.MaxConnections-reservedConnections)
	return NewService(db, log, tail, window, appender, folder, registry, limits, queries)
}

func run(lc fx.Lifecycle, tail *Tail, appender *Appender, folder *Folder) {
	lc.Append(fx.StartStopHook(tail.Start, tail.Stop))
	lc.Append(fx.StartStopHook(appender.Start, appender.Stop))
	lc.Append(fx.StartStopHook(func(ctx context.Context) error { return folder.Start(ctx, tail.Loaded()) }, folder.Stop))
}
