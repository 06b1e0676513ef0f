package readings

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"telltale/modules/auth"
	"telltale/modules/auth/access"
	"telltale/modules/readings/payload"
	"telltale/platform/httpapi"
	"telltale/platform/httpserver"
)

// guard lets a request through whose credentials have the scopes.
type guard interface {
	Require(scopes ...access.Scope) fiber.Handler
}

// Routes returns the routes of the service. maxBody bounds a posted body in bytes, once decompressed.
func Routes(service *Service, guard guard, maxBody int) httpapi.Routes {
	h := handlers{service, maxBody}
	return httpapi.Routes{Name: "readings", Mount: func(api fiber.Router) {
		api.Post("/readings", guard.Require(access.ReadingsWrite), h.ingest)
		api.Get("/readings", guard.Require(access.ReadingsRead), h.history)
		api.Get("/readings/latest", guard.Require(access.ReadingsRead), h.latest)
		api.Delete("/readings", guard.Require(access.ReadingsDelete), h.delete)
		api.Post("/readings/fold", guard.Require(access.Admin), h.fold)
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
	// Overwritten counts the readings that later ones of the same request have taken the place of.
	Overwritten int `json:"overwritten,omitempty"`
	// Rounded counts the integers that are not stored exactly.
	Rounded int `json:"rounded,omitempty"`
	// Seq is the stamp of the batch that holds the readings; absent when nothing was stored.
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
	skip, err := parseOnError(ingestParameters.Read(c))
	if err != nil {
		return err
	}
	body, err := httpserver.Body(c, h.maxBody)
	if err != nil {
		return err
	}
	receipt, err := h.service.Ingest(c.UserContext(), auth.PrincipalOf(c), payload.Request{
		ContentType:     c.Get(fiber.HeaderContentType),
		ContentEncoding: c.Get(fiber.HeaderContentEncoding),
		Data:            body,
		MaxBytes:        h.maxBody,
		Reserve:         func(bytes int) error { return httpserver.Reserve(c, bytes) },
		Now:             time.Now(),
	}, skip)
	if err != nil {
		return err
	}
	if receipt.Rejected == 0 {
		httpapi.Repetitive(c)
	}
	answer := receiptAnswer{
		Accepted: receipt.Accepted, Overwritten: receipt.Overwritten, Rounded: receipt.Rounded, Seq: receipt.Stamp, RejectedCount: receipt.Rejected,
	}
	for _, r := range receipt.Rejects {
		answer.Rejected = append(answer.Rejected, rejectedAnswer{r.Index, r.Field, r.Reason})
	}
	return c.JSON(answer)
}

// ingestParameters are those of ingest.
var ingestParameters = httpapi.Parameters{}.Once("on_error")

// parseOnError reads what an ingest request wants done when some of its items are bad.
func parseOnError(q *httpapi.Query) (skip bool, err error) {
	switch mode := q.Text("on_error"); mode {
	case "", "fail":
	case "skip":
		skip = true
	default:
		q.Fail("on_error", `must be "fail" (store all or nothing, the default) or "skip" (store the good ones), not %.140q`, mode)
	}
	return skip, q.Err()
}

func (h handlers) fold(c *fiber.Ctx) error {
	if err := httpapi.ReadNone(c); err != nil {
		return err
	}
	stamp, err := h.service.Fold(c.UserContext())
	if err != nil {
		return err
	}
	return c.JSON(struct {
		FoldedSeq int64 `json:"folded_seq"`
	}{stamp})
}
