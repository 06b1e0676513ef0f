package httpapp

import (
	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/fx"
	"go.uber.org/zap"

	"telltale/config"
	"telltale/platform/health"
	"telltale/platform/httpapi"
	"telltale/platform/httpserver"
)

// Module provides the *httpserver.Drain that streams watch, the registry of metrics, and the *httpserver.Server, which runs with the program
// once another part asks for it. Ask for it last, in an fx.Invoke behind those of all other modules: then it starts after
// everything that works behind the routes, and stops before it, so that requests under way can still be finished.
var Module = fx.Module("http",
	fx.Provide(
		httpserver.NewDrain,
		fx.Annotate(newRegistry, fx.As(fx.Self()), fx.As(new(prometheus.Registerer)), fx.As(new(prometheus.Gatherer))),
		newApp,
		newServer,
	),
)

type parts struct {
	fx.In

	Config   config.HTTP
	Log      *zap.Logger
	Drain    *httpserver.Drain
	Registry *prometheus.Registry
	Routes   []httpapi.Routes `group:"routes"`
	Probes   []health.Probe   `group:"probes"`
	Quiet    []Quiet          `group:"quiet"`
}

// newApp returns the app with every route.
func newApp(p parts) *fiber.App {
	log := p.Log.Named("http")
	app := NewApp(p.Config, log, p.Drain, p.Registry, p.Quiet...)
	newHealth(log, p.Drain, p.Probes...).mount(app)
	mountMetrics(app, p.Registry)
	httpapi.Mount(app, p.Routes...)
	return app
}

// newServer has the server run with the program, and end it when it can no longer serve.
func newServer(lc fx.Lifecycle, end fx.Shutdowner, cfg config.HTTP, app *fiber.App, drain *httpserver.Drain, log *zap.Logger) *httpserver.Server {
	server := httpserver.NewServer(cfg, app, drain, log.Named("http"))
	server.OnFailure(func(error) {
		_ = end.Shutdown(fx.ExitCode(1)) // it fails only when the program is ending already
	})
	lc.Append(fx.StartStopHook(server.Start, server.Stop))
	return server
}
