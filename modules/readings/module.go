package readings

import (
	_ "embed"
	"time"

	"go.uber.org/fx"
	"go.uber.org/zap"

	"telltale/config"
	"telltale/modules/auth"
	"telltale/modules/devices"
	"telltale/modules/readings/batchlog"
	"telltale/modules/readings/fold"
	"telltale/modules/readings/forecast"
	"telltale/modules/readings/history"
	"telltale/modules/readings/turns"
	"telltale/modules/series"
	"telltale/platform/httpapi"
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
// stops in the order of dependencies: the server, which depends on all of it, starts last and stops first.
var Module = fx.Module("readings",
	fx.Decorate(func(logger *zap.Logger) *zap.Logger { return logger.Named("readings") }),
	fx.Provide(
		batchlog.NewLog,
		func(cfg config.Readings) *batchlog.Window { return batchlog.NewWindow(cfg.WindowBytes) },
		newPolicy,
		fx.Annotate(newTail, fx.OnStart((*batchlog.Tail).Start), fx.OnStop((*batchlog.Tail).Stop)),
		fx.Annotate(newAppender, fx.OnStart((*batchlog.Appender).Start), fx.OnStop((*batchlog.Appender).Stop)),
		fx.Annotate(newRunner, fx.OnStart((*fold.Runner).Start), fx.OnStop((*fold.Runner).Stop)),
		newHistory,
		NewService,
		func(service *Service) devices.Deleter { return service },
		fx.Annotate(
			func(service *Service, guard *auth.Guard, cfg config.HTTP) httpapi.Routes {
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

func newPolicy(registry *series.Registry, cfg config.Readings) *series.Retention {
	return series.NewRetention(registry, cfg.RetentionDays, time.Now)
}

// newTail returns a tail that settles forecasts.
func newTail(db *postgres.DB, log *batchlog.Log, window *batchlog.Window, registry *series.Registry, logger *zap.Logger) *batchlog.Tail {
	tail := batchlog.NewTail(db, log, window, registry, logger)
	forecast.New(db, tail, registry, logger)
	return tail
}

func newAppender(log *batchlog.Log, tail *batchlog.Tail, registry *series.Registry, cfg config.Readings, logger *zap.Logger) *batchlog.Appender {
	return batchlog.NewAppender(log, tail, registry, cfg.MaxQueuedReadings, logger)
}

// reservedConnections are those that history leaves to ingest, the tail, the fold and logins.
const reservedConnections = 4

// runnerParts are those of a runner, as fx provides them.
type runnerParts struct {
	fx.In
	DB        *postgres.DB
	Log       *batchlog.Log
	Tail      *batchlog.Tail
	Window    *batchlog.Window
	Registry  *series.Registry
	Retention *series.Retention
	Limits    config.Readings
	Logger    *zap.Logger
}

func newRunner(p runnerParts) *fold.Runner {
	return fold.New(fold.Parts{
		DB: p.DB, Log: p.Log, Tail: p.Tail, Window: p.Window, Registry: p.Registry, Retention: p.Retention, Limits: p.Limits, Logger: p.Logger,
	})
}

func newHistory(
	db *postgres.DB, tail *batchlog.Tail, window *batchlog.Window, registry *series.Registry, retention *series.Retention, cfg config.Readings, pool config.DB,
) *history.Engine {
	return history.New(db, tail, window, registry, retention, history.Limits{
		Timeout: cfg.QueryTimeout, MaxPoints: cfg.QueryMaxPoints,
		Gate: turns.New(max(1, pool.MaxConnections-reservedConnections), history.Patience),
	})
}

// Parts are what a service is made of. Fx fills them in; without it a caller sets every part but those that say what nil or zero
// stands for.
type Parts struct {
	fx.In
	DB        *postgres.DB
	Log       *batchlog.Log
	Tail      *batchlog.Tail
	Window    *batchlog.Window
	Appender  *batchlog.Appender
	Runner    *fold.Runner
	Registry  *series.Registry
	Retention *series.Retention
	History   *history.Engine
	Limits    config.Readings
	Logger    *zap.Logger
	// Now is the clock; nil stands for the system's. Only tests give another one.
	Now func() time.Time `optional:"true"`
	// Earliest is the time before which no reading is taken; zero stands for the usual one, instant.Floor. Only tests give another one.
	Earliest time.Time `optional:"true"`
}
