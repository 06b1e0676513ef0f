package readings

import (
	"net/url"
	"time"

	"github.com/gofiber/fiber/v2"

	"telltale/modules/auth"
	"telltale/modules/readings/payload"
	"telltale/platform/fault"
	"telltale/platform/httpserver"
)

// guard lets a request through whose credentials have the scopes.
type guard interface {
	Require(scopes ...auth.Scope) fiber.Handler
}

// Routes returns the routes of the service. maxBody bounds a posted body in bytes, once decompressed.
func Routes(service *Service, guard guard, maxBody int) httpserver.Routes {
	h := handlers{service, maxBody}
	return httpserver.Routes{Name: "readings", Mount: func(api fiber.Router) {
		api.Post("/readings", guard.Require(auth.ReadingsWrite), h.ingest)
		api.Get("/readings", guard.Require(auth.ReadingsRead), h.history)
		api.Get("/readings/latest", guard.Require(auth.ReadingsRead), h.latest)
		api.Post("/readings/fold", guard.Require(auth.Admin), h.fold)
		h.mountWrite(api, guard)
	}, Root: func(root fiber.Router) { h.mountWriteRoot(root, guard) }}
}

type handlers struct {
	service *Service
	maxBody int
}

// receiptAnswer is the body of an ingest answer.
type receiptAnswer struct {
	Accepted int `json:"accepted"`
	// Seq is the batch that holds the readings; absent when nothing was stored.
	Seq int64 `json:"seq,omitempty"`
	// RejectedCount counts the items that were not stored; at most payload.MaxRejects of them are described.
	RejectedCount int              `json:"rejected_count,omitempty"`
	Rejected      []rejectedAnswer `json:"rejected,omitempty"`
}

type rejectedAnswer struct {
	Index  int    `json:"index"`
	Field  string `json:"field"`
	Reason string `json:"reason"`
}

func (h handlers) ingest(c *fiber.Ctx) error {
	skip, err := parseOnError(httpserver.QueryValues(c))
	if err != nil {
		return err
	}
	receipt, err := h.service.Ingest(c.UserContext(), auth.PrincipalOf(c), payload.Request{
		ContentType:     c.Get(fiber.HeaderContentType),
		ContentEncoding: c.Get(fiber.HeaderContentEncoding),
		Data:            c.Request().Body(),
		MaxBytes:        h.maxBody,
		Now:             time.Now(),
	}, skip)
	if err != nil {
		return err
	}
	answer := receiptAnswer{Accepted: receipt.Accepted, Seq: receipt.Seq, RejectedCount: receipt.Rejected}
	for _, r := range receipt.Rejects {
		answer.Rejected = append(answer.Rejected, rejectedAnswer{r.Index, r.Field, r.Reason})
	}
	return c.JSON(answer)
}

// parseOnError reads what an ingest request wants done when some of its items are bad.
func parseOnError(values url.Values) (skip bool, err error) {
	p := parser{values: values}
	p.known([]string{"on_error"})
	switch mode := p.one("on_error"); mode {
	case "", "fail":
	case "skip":
		skip = true
	default:
		p.fail("on_error", `must be "fail" (store all or nothing, the default) or "skip" (store the good ones), not %q`, mode)
	}
	return skip, p.err()
}

func (h handlers) fold(c *fiber.Ctx) error {
	if err := noParameters(httpserver.QueryValues(c)); err != nil {
		return err
	}
	seq, err := h.service.Fold(c.UserContext())
	if err != nil {
		return err
	}
	return c.JSON(struct {
		FoldedSeq int64 `json:"folded_seq"`
	}{seq})
}

func noParameters(values url.Values) error {
	p := parser{values: values}
	for name := range values {
		p.fail(name, "is not a parameter of this call; it has none")
	}
	return p.err()
}

// errTooManyQueries asks the caller to come back when other queries have ended.
func errTooManyQueries(running int) error {
	return fault.Busy(time.Second, nil, "%d history queries are running already", running)
}
