// Package httpapp builds the Fiber app that the modules' routes are mounted on. It owns the middleware (request ids, access log and
// counts of requests, panics, security headers, refusals of pages of other origins and of requests while the server stops) and the
// routes that every program has: health and metrics. Its fx module builds the app and runs the server.
//
// It owns no connection (see package httpserver) and no format of answers (see package httpapi).
package httpapp

import (
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"telltale/config"
	"telltale/platform/httpapi"
	"telltale/platform/httpserver"
)

const (
	// readTimeout bounds the arrival of one whole request, body included, so that slow senders cannot pile up.
	readTimeout = 60 * time.Second
	// idleTimeout is how long a connection is kept for its next request; longer than the 60 s of common proxies, so that
	// they close first.
	idleTimeout = 75 * time.Second
	// readBufferBytes bounds request line and header together: space for a history query of a hundred long device ids.
	readBufferBytes = 32 << 10
)

// Quiet is the subject of a client within the program. Its requests are logged at debug level as long as they succeed.
type Quiet string

// NewApp returns a Fiber app with the error handler and the middleware, and no routes yet. It registers counts of the requests,
// unless the registerer is nil.
//
// There is no write timeout here: fasthttp would set it once for a whole answer and so cut long ones. The server's
// connections renew a deadline with each write instead.
func NewApp(
	cfg config.HTTP, log *zap.Logger, drain *httpserver.Drain, registerer prometheus.Registerer, quiet ...Quiet,
) *fiber.App {
	app := fiber.New(fiber.Config{
		AppName:               "Telltale",
		BodyLimit:             cfg.MaxBodyBytes,
		ReadTimeout:           readTimeout,
		IdleTimeout:           idleTimeout,
		ReadBufferSize:        readBufferBytes,
		CaseSensitive:         true,
		DisableStartupMessage: true,
		ErrorHandler:          httpapi.ErrorHandler(log, drain),
	})
	sampler := &sampler{every: max(1, cfg.AccessLogIngestSample), log: log}
	drain.Finally(sampler.flush)
	seen := &observer{log: log, metrics: newMetrics(registerer), quiet: quiet, sampler: sampler, proxies: cfg.TrustedProxies}
	app.Use(identify(drain), seen.observe, httpapi.Recovered, refuseWhileStopping(drain), protect)
	if cors := crossOrigin(cfg.AllowedOrigins); cors != nil {
		app.Use(cors)
	}
	httpserver.Harden(app, seen.reportUnrouted)
	return app
}

// identify returns middleware that gives the request its id, and a context that lives as long as the server waits for
// requests.
func identify(drain *httpserver.Drain) fiber.Handler {
	return func(c *fiber.Ctx) error {
		httpapi.RequestID(c)
		c.SetUserContext(drain.Context())
		return c.Next()
	}
}
