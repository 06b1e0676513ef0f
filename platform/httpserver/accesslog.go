package httpserver

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// subjectKey is where the auth module leaves the name of whoever made the request.
const subjectKey = "telltale.subject"

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
}

// Quiet is the name of somebody whose requests are no news as long as they succeed: they are logged for debugging only. It is
// for clients within the program.
type Quiet string

// observer is told of every exchange once it is over.
type observer struct {
	log     *zap.Logger
	metrics *Metrics // nil when nobody counts
	quiet   []Quiet
	proxies proxies
}

// observe runs the rest of the chain, has an error answered, and reports the exchange.
func (o *observer) observe(c *fiber.Ctx) error {
	x := &exchange{
		began: time.Now(), method: strings.Clone(c.Method()), requestID: RequestID(c),
		path: string(c.Context().URI().PathOriginal()), address: o.proxies.address(c),
	}
	if err := c.Next(); err != nil {
		if failed := c.App().ErrorHandler(c, err); failed != nil {
			return failed
		}
		if _, plain := errors.AsType[*fiber.Error](err); !plain { // Fiber's texts only repeat method and path
			x.err = err
		}
	}
	x.route, x.status, x.bytes = routePattern(c), c.Response().StatusCode(), int64(len(c.Response().Body()))
	if subject, ok := c.Locals(subjectKey).(string); ok {
		x.subject = strings.Clone(subject)
	}
	if body, ok := c.Locals(bodyKey).(*bodyWriter); ok && body.begun {
		x.bytes, x.err = body.sent, body.failed
	}
	o.report(x)
	return nil
}

// reportUnparsed is for requests that never reached the middleware. fasthttp's errors about them quote pieces of the
// request, which may be secret, and are not logged. The address is the connection's: of a header that was not read to its
// end, a proxy's part may be missing.
func (o *observer) reportUnparsed(ctx *fasthttp.RequestCtx, began time.Time) {
	id, _ := ctx.UserValue(requestIDKey).(string)
	o.report(&exchange{
		began: began, method: string(ctx.Method()), route: unmatched, path: string(ctx.URI().PathOriginal()),
		address: ctx.RemoteIP().String(), requestID: id,
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
	fields := []zap.Field{
		zap.String("method", x.method), zap.String("route", x.route), zap.String("path", x.path),
		zap.Int("status", x.status), zap.Duration("duration_ms", took), zap.Int64("bytes", x.bytes),
		zap.String("request_id", x.requestID), zap.String("address", x.address),
	}
	if x.subject != "" {
		fields = append(fields, zap.String("subject", x.subject))
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

// unmatched stands for every path without a route, so that scanners can make neither logs nor metrics grow.
const unmatched = "(none)"

// routePattern is the pattern of the route that answered. When only middleware matched (all of it is mounted at the root),
// there is none.
func routePattern(c *fiber.Ctx) string {
	route := c.Route()
	if len(route.Handlers) == 0 || route.Path == "/" {
		return unmatched
	}
	return strings.Clone(route.Path)
}
