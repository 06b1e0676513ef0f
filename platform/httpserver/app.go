// Package httpserver serves the API: it makes the Fiber app with its middleware, turns errors into problem details, runs
// the server from its first connection to an orderly stop, and tells operators how it is doing.
package httpserver

import (
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
	"go.uber.org/zap"

	"telltale/config"
)

const (
	// readTimeout bounds the arrival of one whole request, body included, so that slow senders cannot pile up.
	readTimeout = 60 * time.Second
	// idleTimeout is how long a connection is kept for its next request; longer than the 60 s of common proxies, so that
	// they close first.
	idleTimeout = 75 * time.Second
	// readBufferBytes bounds request line and header together: room for a history query of a hundred long device ids.
	readBufferBytes = 32 << 10
)

// NewApp returns a Fiber app with the error handler and the middleware, and no routes yet. Metrics may be nil. Those who are
// quiet hardly show in the access log.
//
// There is no write timeout here: fasthttp would set it once for a whole answer and so cut long ones. The server's
// connections renew a deadline with each write instead.
func NewApp(cfg config.HTTP, log *zap.Logger, drain *Drain, metrics *Metrics, quiet ...Quiet) *fiber.App {
	errors := &problems{log: log, maxBody: cfg.MaxBodyBytes}
	app := fiber.New(fiber.Config{
		AppName:               "Telltale",
		BodyLimit:             cfg.MaxBodyBytes,
		ReadTimeout:           readTimeout,
		IdleTimeout:           idleTimeout,
		ReadBufferSize:        readBufferBytes,
		CaseSensitive:         true,
		DisableStartupMessage: true,
		ErrorHandler:          errors.handle,
	})
	seen := &observer{log: log, metrics: metrics, quiet: quiet, proxies: cfg.TrustedProxies}
	app.Use(drain.identify, seen.observe, recovered, drain.refuse, protect)
	if cors := crossOrigin(cfg.AllowedOrigins); cors != nil {
		app.Use(cors)
	}
	hardenFastHTTP(app, seen)
	return app
}

// hardenFastHTTP covers what fasthttp answers before Fiber sees a request.
func hardenFastHTTP(app *fiber.App, seen *observer) {
	server := app.Server()
	server.SecureErrorLogMessage = true // header contents, tokens among them, stay out of error texts
	routed, failed := server.Handler, server.ErrorHandler
	server.ErrorHandler = func(ctx *fasthttp.RequestCtx, err error) {
		began := time.Now()
		failed(ctx, err)
		lingerOnClose(ctx.Conn())
		seen.reportUnparsed(ctx, began)
	}
	server.Handler = func(ctx *fasthttp.RequestCtx) {
		if !knownMethod(app, ctx.Method()) { // Fiber would answer these in plain text
			began := time.Now()
			c := app.AcquireCtx(ctx)
			defer app.ReleaseCtx(c)
			if app.ErrorHandler(c, fiber.ErrNotImplemented) != nil {
				ctx.SetStatusCode(fiber.StatusNotImplemented)
			}
			seen.reportUnparsed(ctx, began)
			return
		}
		routed(ctx)
	}
}

func knownMethod(app *fiber.App, method []byte) bool {
	for _, known := range app.Config().RequestMethods {
		if known == string(method) {
			return true
		}
	}
	return false
}

// identify gives the request its id, and a context that lives as long as the server waits for requests.
func (d *Drain) identify(c *fiber.Ctx) error {
	setRequestID(c)
	c.SetUserContext(d.work)
	return c.Next()
}
