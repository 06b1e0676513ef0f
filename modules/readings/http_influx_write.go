package readings

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"telltale/modules/auth"
	"telltale/modules/auth/access"
	"telltale/modules/readings/payload"
	"telltale/platform/fault"
	"telltale/platform/httpapi"
	"telltale/platform/httpserver"
)

// writeParameters are those of the two calls by which clients of InfluxDB write. There is one place to write to, and the
// credentials say who may write what: the name of a database or bucket is only that of the device of lines that name none.
var (
	writeParametersV2 = httpapi.Parameters{}.Repeatable("org", "orgID", "bucket", "precision", "on_error", "device_tag")
	writeParametersV1 = httpapi.Parameters{}.Repeatable("db", "rp", "consistency", "u", "p", "precision", "on_error", "device_tag")
)

// precisions are the units of times, by the names that the versions of InfluxDB have for them.
var precisions = map[string]time.Duration{
	"": time.Nanosecond, "ns": time.Nanosecond, "n": time.Nanosecond, "us": time.Microsecond, "u": time.Microsecond,
	"µ": time.Microsecond, "ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour,
}

// mountWrite adds what clients of InfluxDB 2 look for.
func (h handlers) mountWrite(api fiber.Router, guard guard) {
	api.Post("/v2/write", likeInflux, guard.Require(access.ReadingsWrite), h.write(writeParametersV2, "bucket"))
}

// mountWriteRoot adds what clients of InfluxDB 1 look for.
func (h handlers) mountWriteRoot(root fiber.Router, guard guard) {
	root.Post("/write", likeInflux, acceptPassword, guard.Require(access.ReadingsWrite), h.write(writeParametersV1, "db"))
	root.Get("/ping", likeInflux, ping)
	root.Get("/query", likeInflux, acceptPassword, guard.Require(access.ReadingsWrite), query)
	root.Post("/query", likeInflux, acceptPassword, guard.Require(access.ReadingsWrite), query)
}

// write stores line protocol. As with InfluxDB, good lines are stored even if there are bad ones beside them, which the
// error then lists: those who send it have no way to mend a batch, and would lose all of it.
func (h handlers) write(known httpapi.Parameters, device string) fiber.Handler {
	return func(c *fiber.Ctx) error {
		how, onError, err := parseWrite(known.Read(c), device)
		if err != nil {
			return err
		}
		body, err := httpserver.Body(c, h.maxBody)
		if err != nil {
			return err
		}
		receipt, err := h.service.Ingest(c.UserContext(), auth.PrincipalOf(c), payload.Request{
			LineProtocol:    &how,
			ContentEncoding: c.Get(fiber.HeaderContentEncoding),
			Data:            body,
			MaxBytes:        h.maxBody,
			Reserve:         func(bytes int) error { return httpserver.Reserve(c, bytes) },
			Now:             time.Now(),
		}, onError != "fail")
		if err != nil {
			return err
		}
		if receipt.Rejected > 0 && onError != "skip" {
			c.Locals(rejectedKey, receipt.Rejected)
			return partialWrite(receipt)
		}
		if receipt.Rejected == 0 {
			httpapi.Repetitive(c)
		}
		return c.Status(fiber.StatusNoContent).Send(nil)
	}
}

// parseWrite reads how lines are to be taken. Device is the parameter that names the device of lines that name none.
func parseWrite(q *httpapi.Query, device string) (how payload.LineProtocol, onError string, err error) {
	unit, ok := precisions[q.First("precision")]
	if !ok {
		q.Fail("precision", "must be ns, us, ms, s, m or h, not %.140q", q.First("precision"))
	}
	onError = q.First("on_error")
	switch onError {
	case "", "partial", "fail", "skip":
	default:
		q.Fail("on_error", `must be "partial" (store the good lines and list the others in an error, the default), `+
			`"fail" (store all or nothing) or "skip" (store the good ones and pass over the others), not %.140q`, onError)
	}
	how = payload.LineProtocol{Unit: unit, DeviceTags: q.Words("device_tag", 10), Device: q.First(device)}
	return how, onError, q.Err()
}

// partialWrite says which lines were not stored.
func partialWrite(receipt Receipt) error {
	f := &fault.Fault{
		Kind: fault.Invalid, Message: fmt.Sprintf("partial write: %d values were stored, %d lines were not", receipt.Accepted, receipt.Rejected),
	}
	if receipt.Accepted == 0 {
		f.Message = fmt.Sprintf("nothing was stored: %d lines are not valid", receipt.Rejected)
		if receipt.Forbidden {
			f.Kind = fault.Forbidden
		}
	}
	for _, r := range receipt.Rejects {
		f.Fields = append(f.Fields, fault.Field{Name: r.Field, Reason: r.Reason})
	}
	return f
}

// writeError is an error as clients of InfluxDB read it: those of version 2 code and message, those of version 1 error.
type writeError struct {
	Code      string        `json:"code"`
	Message   string        `json:"message"`
	Error     string        `json:"error"`
	RequestID string        `json:"request_id"`
	Errors    []fault.Field `json:"errors,omitempty"`
	// RejectedCount counts the lines that were not stored, when others may have been.
	RejectedCount int `json:"rejected_count,omitempty"`
}

// rejectedKey is where a write leaves the number of its bad lines.
const rejectedKey = "telltale.rejected"

// toldLines is how many bad lines a message names; Errors has more of them.
const toldLines = 5

func likeInflux(c *fiber.Ctx) error {
	httpapi.Restate(c, func(p httpapi.Problem) any {
		reasons := make([]string, 0, toldLines)
		for _, field := range p.Errors[:min(len(p.Errors), toldLines)] {
			reasons = append(reasons, field.Name+": "+field.Reason)
		}
		message := p.Detail
		if len(reasons) > 0 {
			message += ": " + strings.Join(reasons, "; ")
		}
		if more := len(p.Errors) - len(reasons); more > 0 {
			message += fmt.Sprintf("; and %d more", more)
		}
		code := strings.ToLower(http.StatusText(p.Status))
		if p.Status == http.StatusInternalServerError {
			code = "internal error"
		}
		rejected, _ := c.Locals(rejectedKey).(int)
		return writeError{
			Code: code, Message: message, Error: message, RequestID: p.RequestID, Errors: p.Errors, RejectedCount: rejected,
		}
	})
	return c.Next()
}

// acceptPassword takes a token or API key from where clients of InfluxDB 1 put a password: HTTP's basic authentication,
// or the query, which nothing here logs. The user's name does not matter.
func acceptPassword(c *fiber.Ctx) error {
	scheme, encoded, _ := strings.Cut(c.Get(fiber.HeaderAuthorization), " ")
	password := ""
	switch {
	case strings.EqualFold(scheme, "Basic"):
		pair, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
		if err != nil {
			break // for the guard to refuse
		}
		_, password, _ = strings.Cut(string(pair), ":")
	case scheme == "":
		password = c.Query("p") //nolint:forbidigo // among writeParametersV1; the guard comes before them
	}
	if password != "" {
		c.Request().Header.Set(fiber.HeaderAuthorization, "Bearer "+password)
	}
	return c.Next()
}
