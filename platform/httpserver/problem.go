package httpserver

import (
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
	log     *zap.Logger
	maxBody int
}

// handle is the app's fiber.ErrorHandler. It answers whatever error a handler, Fiber or fasthttp came up with. Internal
// errors are logged with a stack trace and answered without their text.
func (p *problems) handle(c *fiber.Ctx, err error) error {
	f := p.faultOf(err)
	a := answers[f.Kind]
	detail := f.Message
	if f.Kind == fault.Internal {
		detail = "the error is in the server's log under this request id"
		p.logInternal(c, err)
	}
	clearBody(c)
	if a.status == fiber.StatusUnauthorized {
		challenge(c, f.Message)
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

func (p *problems) faultOf(err error) *fault.Fault {
	if f := fault.As(err); f != nil {
		if _, known := answers[f.Kind]; known {
			return f
		}
	}
	if fiberErr, ok := errors.AsType[*fiber.Error](err); ok {
		return fiberFault(fiberErr, p.maxBody)
	}
	return &fault.Fault{Kind: fault.Internal, Err: err}
}

func (p *problems) logInternal(c *fiber.Ctx, err error) {
	fields := []zap.Field{
		zap.Error(err), zap.String("request_id", RequestID(c)),
		zap.String("method", strings.Clone(c.Method())), zap.String("route", routePattern(c)),
	}
	if panicked, ok := errors.AsType[*panicError](err); ok {
		fields = append(fields, zap.ByteString("stacktrace", panicked.stack))
		p.log.WithOptions(zap.AddStacktrace(never)).Error("handler panicked", fields...)
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

// challenge sets WWW-Authenticate (RFC 6750) unless the handler that refused the request has set one already. The error
// attributes appear only when a token was given: a request without any credentials has made no error yet.
func challenge(c *fiber.Ctx, message string) {
	if len(c.Response().Header.Peek(fiber.HeaderWWWAuthenticate)) > 0 {
		return
	}
	value := `Bearer realm="telltale"`
	if scheme, _, _ := strings.Cut(c.Get(fiber.HeaderAuthorization), " "); strings.EqualFold(scheme, "Bearer") {
		value += `, error="invalid_token", error_description="` + quotable(message) + `"`
	}
	c.Set(fiber.HeaderWWWAuthenticate, value)
}

// quotable keeps what RFC 6750 allows in an error_description.
func quotable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' || r == '\\' {
			return '\''
		}
		return r
	}, text)
}

// retryAfter is the wait in whole seconds, rounded up and at least one.
func retryAfter(wait time.Duration) string {
	return strconv.Itoa(max(1, int(math.Ceil(wait.Seconds()))))
}

func byteCount(n int) string {
	if n >= 1<<20 && n%(1<<20) == 0 {
		return strconv.Itoa(n>>20) + " MiB"
	}
	return strconv.Itoa(n) + " bytes"
}
