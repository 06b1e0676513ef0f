package readings

import (
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

var (
	//go:embed openapi.yaml
	openAPI []byte
	//go:embed openapi_write.yaml
	openAPIWrite []byte
)

// Module provides the log, its tail, the recent window, and the API of readings. What runs in the background starts and
// stops in the order of who needs whom: the server, which needs all of it, starts last and stops first.
var Module = fx.Module("readings",
	fx.Decorate(func(logger *zap.Logger) *zap.Logger { return logger.Named("readings") }),
	fx.Provide(
		NewLog,
		func(cfg config.Readings) *Window { return NewWindow(cfg.WindowBytes) },
		fx.Annotate(NewTail, fx.OnStart((*Tail).Start), fx.OnStop((*Tail).Stop)),
		fx.Annotate(newAppender, fx.OnStart((*Appender).Start), fx.OnStop((*Appender).Stop)),
		fx.Annotate(NewFolder, fx.OnStart((*Folder).Start), fx.OnStop((*Folder).Stop)),
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
		fx.Annotate(
			func() openapi.Fragment { return openapi.Fragment{Name: "readings: write", YAML: openAPIWrite} },
			fx.ResultTags(`group:"openapi"`),
		),
		fx.Annotate((*Service).Probe, fx.ResultTags(`group:"probes"`)),
	),
)

func newAppender(log *Log, tail *Tail, registry *devices.Registry, cfg config.Readings, logger *zap.Logger) *Appender {
	return NewAppender(log, tail, registry, cfg.MaxQueuedReadings, logger)
}

// reservedConnections are those that history leaves to ingest, the tail, the fold and logins.
const reservedConnections = 4

func newService(
	db *postgres.DB, log *Log, tail *Tail, window *Window, appender *Appender, folder *Folder, registry *devices.Registry,
	limits config.Readings, pool config.DB,
) *Service {
	queries := max(1, pool.MaxConnections-reservedConnections)
	return NewService(db, log, tail, window, appender, folder, registry, limits, queries)
}
