package streaming

import (
	"context"
	_ "embed"

	"telltale/modules/readings/history"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/fx"
	"go.uber.org/zap"

	"telltale/config"
	"telltale/modules/auth"
	"telltale/modules/auth/access"
	"telltale/modules/readings/batchlog"
	"telltale/modules/series"
	"telltale/modules/streaming/livebucket"
	"telltale/modules/streaming/saved"
	"telltale/platform/httpapi"
	"telltale/platform/httpserver"
	"telltale/platform/openapi"
)

//go:embed openapi.yaml
var openAPI []byte

// Module provides the stream of readings.
var Module = fx.Module("streaming",
	fx.Provide(
		saved.NewFilters,
		fx.Annotate(provideHub, fx.OnStart((*Hub).Start), fx.OnStop((*Hub).Stop)),
		fx.Annotate(
			func(hub *Hub, filters *saved.Filters, guard *auth.Guard) httpapi.Routes {
				return Routes(hub, filters, guard)
			},
			fx.ResultTags(`group:"routes"`),
		),
		fx.Annotate(
			func() openapi.Fragment { return openapi.Fragment{Name: "streaming", YAML: openAPI} },
			fx.ResultTags(`group:"openapi"`),
		),
	),
)

func provideHub(
	cfg config.Streaming, log *batchlog.Log, window *batchlog.Window, tail *batchlog.Tail, retention *series.Retention,
	queries *history.Engine, registry *series.Registry, guard *auth.Guard, drain *httpserver.Drain,
	registerer prometheus.Registerer, logger *zap.Logger,
) *Hub {
	return NewHub(cfg, Sources{
		Window: batchlog.NewFeed(window), Log: log, Registry: registry, Retention: retention, Loaded: tail.Loaded(), Draining: drain.Draining(), Checker: guard,
		History: func(ctx context.Context, who access.Principal, q history.Query, rows *livebucket.Rows) error {
			return queries.History(ctx, who, q, rows)
		},
	}, registerer, logger.Named("stream"))
}
