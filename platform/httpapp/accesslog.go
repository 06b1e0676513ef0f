package httpapp

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"telltale/platform/httpapi"
	"telltale/platform/httpserver"
)

// exchange is one request and its answer, as the access log and the metrics see it. It holds copies only, so that it
// outlives the request's context.
type exchange struct {
	began     time.Time
	method    string
	route     string
	path      string
	address   string // the client's
	requestID string
	subject   string
	status    int
	bytes     int64
	err       error
	// repetitive is set for a request that may share its line with others of its route.
	repetitive bool
}

// observer is told of every exchange once it is over.
type observer struct {
	log     *zap.Logger
	metrics *metrics // nil for no counts
	quiet   []Quiet
	sampler *sampler
	proxies httpapi.Proxies
}

// observe runs the rest of the chain, has an error answered, and reports the exchange.
func (o *observer) observe(c *fiber.Ctx) error {
	x := &exchange{
		began: time.Now(), method: strings.Clone(c.Method()), requestID: httpapi.RequestID(c),
		path: string(c.Context().URI().PathOriginal()), address: o.proxies.Address(c),
	}
	if err := httpserver.Blame(c, c.Next()); err != nil {
		if failed := c.App().ErrorHandler(c, err); failed != nil {
			return failed
		}
		if _, plain := errors.AsType[*fiber.Error](err); !plain { // Fiber's texts only repeat method and path
			x.err = err
		}
	}
	x.route, x.status, x.bytes = httpapi.RoutePattern(c), c.Response().StatusCode(), int64(len(c.Response().Body()))
	x.subject, x.repetitive = httpapi.Subject(c), httpapi.IsRepetitive(c)
	if sent, begun, err := httpserver.Streamed(c); begun {
		x.bytes, x.err = sent, err
		if errors.Is(x.err, httpserver.ErrGone) {
			x.status = httpapi.StatusGone
		}
	}
	o.report(x)
	return nil
}

// reportUnrouted is for requests that never reached the middleware. fasthttp's errors about them quote pieces of the
// request, which may be secret, and are not logged. The address is the connection's: of a header that was not read to its
// end, a proxy's part may be missing.
func (o *observer) reportUnrouted(ctx *fasthttp.RequestCtx, began time.Time) {
	o.report(&exchange{
		began: began, method: string(ctx.Method()), route: httpapi.Unmatched, path: string(ctx.URI().PathOriginal()),
		address: ctx.RemoteIP().String(), requestID: string(ctx.Response.Header.Peek(fiber.HeaderXRequestID)),
		status: ctx.Response.StatusCode(), bytes: int64(len(ctx.Response.Body())),
	})
}

func (o *observer) report(x *exchange) {
	took := time.Since(x.began)
	if o.metrics != nil {
		o.metrics.observe(x, took)
	}
	level := x.level()
	if x.status < fiber.StatusBadRequest && slices.Contains(o.quiet, Quiet(x.subject)) {
		level = zapcore.DebugLevel
	}
	entry := o.log.Check(level, "request")
	if entry == nil {
		return
	}
	standsFor := 1
	if x.repetitive && x.status < fiber.StatusBadRequest && x.err == nil && o.sampler.every > 1 {
		if standsFor = o.sampler.add(x, took); standsFor == 0 {
			return
		}
	}
	fields := []zap.Field{
		zap.String("method", x.method), zap.String("route", x.route), zap.String("path", x.path),
		zap.Int("status", x.status), zap.Duration("duration_ms", took), zap.Int64("bytes", x.bytes),
		zap.String("request_id", x.requestID), zap.String("address", x.address),
	}
	if x.subject != "" {
		fields = append(fields, zap.String("subject", x.subject))
	}
	if standsFor > 1 {
		fields = append(fields, zap.Int("stands_for", standsFor))
	}
	if x.err != nil {
		fields = append(fields, zap.String("error", x.err.Error()))
	}
	entry.Write(fields...)
}

// level follows who has to act: the operator on 5xx, the caller on 4xx. The error of a 500 has been logged with its stack
// where it was answered; this line is the record of the request and stays below the level at which zap adds a stack.
func (x *exchange) level() zapcore.Level {
	switch {
	case isQuiet(x.route), x.status == fiber.StatusRequestTimeout: // a connection that its client opened and forgot
		return zapcore.DebugLevel
	case x.status >= 500:
		return zapcore.WarnLevel
	default:
		return zapcore.InfoLevel
	}
}

// isQuiet names the routes that machines poll all day.
func isQuiet(route string) bool {
	switch strings.TrimPrefix(route, "/api") {
	case "/health", "/livez", "/readyz", "/metrics":
		return true
	}
	return false
}
