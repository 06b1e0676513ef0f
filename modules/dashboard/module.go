package dashboard

import (
	_ "embed"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/fx"

	"telltale/config"
	"telltale/modules/auth"
	"telltale/modules/dashboard/boards"
	"telltale/modules/dashboard/operations"
	"telltale/modules/readings/batchlog"
	"telltale/modules/series"
	"telltale/platform/httpapi"
	"telltale/platform/openapi"
	"telltale/platform/postgres"
)

//go:embed openapi.yaml
var openAPI []byte

// Module provides the live page, and the calls that only the page needs.
var Module = fx.Module("dashboard",
	fx.Provide(
		fx.Annotate(provideRecorder, fx.OnStart((*operations.Recorder).Start), fx.OnStop((*operations.Recorder).Stop)),
		fx.Annotate(provideRoutes, fx.ResultTags(`group:"routes"`)),
		fx.Annotate(
			func() openapi.Fragment { return openapi.Fragment{Name: "dashboard", YAML: openAPI} },
			fx.ResultTags(`group:"openapi"`),
		),
	),
)

// sources are those of the recorder, as fx provides them.
type sources struct {
	fx.In
	Config   config.Config
	DB       *postgres.DB
	Appender *batchlog.Appender
	Window   *batchlog.Window
	Registry *series.Registry
	Metrics  prometheus.Gatherer
}

func provideRecorder(from sources) *operations.Recorder {
	return operations.New(operations.Sources{
		Pool: from.DB.Use, Commits: from.Appender.Tally, Queued: from.Appender.QueuedBytes, Window: from.Window.Stats, Series: from.Registry.Size,
		Metrics: from.Metrics, Storage: operations.Measure(from.DB),
	}, operations.Limits{DB: from.Config.DB, Readings: from.Config.Readings, Streaming: from.Config.Streaming})
}

func provideRoutes(db *postgres.DB, recorder *operations.Recorder, guard *auth.Guard) httpapi.Routes {
	return Routes(NewPage, boards.New(db), recorder, guard)
}
