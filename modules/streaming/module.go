package streaming

import (
	"context"
	_ "embed"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/fx"
	"go.uber.org/zap"

	"telltale/config"
	"telltale/modules/auth"
	"telltale/modules/devices"
	"telltale/modules/readings"
	"telltale/platform/httpserver"
	"telltale/platform/openapi"
)

//go:embed openapi.yaml
var openAPI []byte

// Module provides the stream of readings.
var Module = fx.Module("streaming",
	fx.Provide(
		NewFilters,
		fx.Annotate(provideHub, fx.OnStart((*Hub).Start), fx.OnStop((*Hub).Stop)),
		fx.Annotate(
			func(hub *Hub, filters *Filters, guard *auth.Guard) httpserver.Routes {
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
	cfg config.Streaming, log *readings.Log, window *readings.Window, tail *readings.Tail, folder *readings.Folder,
	service *readings.Service, registry *devices.Registry, guard *auth.Guard, drain *httpserver.Drain,
	registerer prometheus.Registerer, logger *zap.Logger,
) *Hub {
	return NewHub(cfg, Sources{
		Window: window, Log: log, Registry: registry, Retention: folder, Loaded: tail.Loaded(), Draining: drain.Draining(), Checker: guard,
		History: func(ctx context.Context, who auth.Principal, q readings.Query, rows *bucketRows) error {
			return service.History(ctx, who, q, rows)
		},
	}, registerer, logger.Named("stream"))
}
