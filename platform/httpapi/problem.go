package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"go.uber.org/zap"

	"telltale/platform/fault"
	"telltale/platform/httpserver"
	"telltale/platform/logging"
)

// ProblemType is the media type of every error answer.
const ProblemType = "application/problem+json"

// Problem is the body of every error answer (RFC 9457).
type Problem struct {
	// Type is a URN whose last part names the kind of the problem: "urn:telltale:problem:invalid".
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
	// Instance is the path of the request, without its query, which may hold a token.
	Instance  string        `json:"instance"`
	RequestID string        `json:"request_id"`
	Errors    []fault.Field `json:"errors,omitempty"`
}

const restateKey = "telltale.restate"

// Restate has what goes wrong with the request from here on answered as JSON of another shape. It is for routes that stand
// in for those of another server, whose clients read errors as that one writes them; status and header stay the same.
func Restate(c *fiber.Ctx, restate func(Problem) any) { c.Locals(restateKey, restate) }

// problems writes errors as problem+json; it is the only code that does.
type problems struct {
	log   *zap.Logger
	drain *httpserver.Drain
}

// ErrorHandler returns the handler of an app's errors. It answers every error of a handler, of Fiber and of fasthttp. Internal
// errors are logged with a stack trace and answered without their text.
func ErrorHandler(log *zap.Logger, drain *httpserver.Drain) fiber.ErrorHandler {
	return (&problems{log: log, drain: drain}).handle
}

func (p *problems) handle(c *fiber.Ctx, err error) error {
	f := p.faultOf(c.App(), err)
	a := answers[f.Kind]
	detail := f.Message
	if f.Kind == fault.Internal {
		detail = "the error is in the server's log under this request id"
		p.logInternal(c, err)
	}
	clearBody(c)
	if a.status == fiber.StatusUnauthorized {
		challengeOnce(c, f.Message)
	}
	if f.Kind == fault.TooManyRequests || f.Kind == fault.Unavailable {
		c.Set(fiber.HeaderRetryAfter, retryAfter(f.RetryAfter))
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	if wantsComeBack(c, f) {
		return comeBack(c, f)
	}
	problem := Problem{
		Type: "urn:telltale:problem:" + a.name, Title: a.title, Status: a.status, Detail: detail,
		Instance: string(c.Context().URI().PathOriginal()), RequestID: RequestID(c), Errors: f.Fields,
	}
	shape, contentType := any(problem), ProblemType
	if restate, ok := c.Locals(restateKey).(func(Problem) any); ok {
		shape, contentType = restate(problem), fiber.MIMEApplicationJSON
	}
	body := c.Response().BodyWriter()
	encoder := json.NewEncoder(body)
	encoder.SetEscapeHTML(false) // people read this in terminals, where \u003c says nothing; no browser takes it for HTML
	if err := encoder.Encode(shape); err != nil {
		return fmt.Errorf("encoding a problem: %w", err)
	}
	c.Set(fiber.HeaderContentType, contentType)
	c.Status(a.status)
	return nil
}

func (p *problems) faultOf(app *fiber.App, err error) *fault.Fault {
	if errors.Is(err, httpserver.ErrGone) {
		return &fault.Fault{Kind: kindGone, Message: "the connection ended before the answer", Err: err}
	}
	if f := fault.As(err); f != nil {
		if _, known := answers[f.Kind]; known {
			return f
		}
	}
	if fiberErr, ok := errors.AsType[*fiber.Error](err); ok {
		return fiberFault(fiberErr, app.Config())
	}
	switch {
	case errors.Is(err, context.Canceled) && p.drain.Active():
		return fault.Busy(time.Second, err, "the server is stopping")
	case errors.Is(err, context.DeadlineExceeded):
		return fault.Busy(time.Second, err, "this took too long")
	}
	return &fault.Fault{Kind: fault.Internal, Err: err}
}

func (p *problems) logInternal(c *fiber.Ctx, err error) {
	fields := []zap.Field{
		zap.Error(err), zap.String("request_id", RequestID(c)),
		zap.String("method", strings.Clone(c.Method())), zap.String("route", RoutePattern(c)),
	}
	if panicked, ok := errors.AsType[*panicError](err); ok {
		logging.WithStack(p.log, panicked.stack).Error("handler panicked", fields...)
		return
	}
	p.log.Error("request ended in an internal error", fields...)
}

// clearBody takes back what a handler had written before it returned an error.
func clearBody(c *fiber.Ctx) {
	c.Response().ResetBody()
	for _, header := range []string{
		fiber.HeaderContentEncoding, fiber.HeaderContentDisposition, fiber.HeaderETag, fiber.HeaderLastModified,
	} {
		c.Response().Header.Del(header)
	}
}

// retryAfter is the wait in whole seconds, rounded up and at least one.
func retryAfter(wait time.Duration) string {
	return strconv.Itoa(max(1, int(math.Ceil(wait.Seconds()))))
}
