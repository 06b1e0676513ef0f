package streaming

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"

	"telltale/modules/auth"
	"telltale/modules/auth/access"
	"telltale/modules/streaming/request"
	"telltale/modules/streaming/saved"
	"telltale/platform/fault"
	"telltale/platform/httpapi"
	"telltale/platform/httpserver"
)

// guard lets a request through whose credentials have the scopes; for browsers also those in the query.
type guard interface {
	RequireBrowser(scopes ...access.Scope) fiber.Handler
	Require(scopes ...access.Scope) fiber.Handler
}

// Routes returns the routes of streams.
func Routes(hub *Hub, filters *saved.Filters, guard guard) httpapi.Routes {
	h := handlers{hub, filters}
	return httpapi.Routes{Name: "streaming", Mount: func(api fiber.Router) {
		api.Get("/stream", h.wait, guard.RequireBrowser(access.ReadingsRead), h.stream)
		api.Post("/stream", h.wait, guard.Require(access.ReadingsRead), h.streamByBody)
		api.Get("/stream/viewers", guard.Require(access.Admin), h.viewers)
		saved.Mount(api, filters, guard)
	}}
}

// lastEventID is the header in which a client says where it was.
const lastEventID = "Last-Event-ID"

type handlers struct {
	hub     *Hub
	filters *saved.Filters
}

// changesKey is where a request keeps how many changes of credentials there had been before its own were checked.
type changesKey struct{}

// wait holds a request that comes while the server starts: for a browser's EventSource a 503 would be the end for good. It
// comes before the guard, which may need the database as well.
//
// What a request waits for after that, such as a database that hangs, ends when the server stops: it is told so in time, and
// an EventSource when to come back.
func (h handlers) wait(c *fiber.Ctx) error {
	h.hub.await(c.UserContext())
	c.Locals(changesKey{}, h.hub.changed.Load())
	ctx, end := context.WithCancel(c.UserContext())
	defer end()
	defer context.AfterFunc(h.hub.work, end)()
	c.SetUserContext(ctx)
	err := c.Next()
	if kind := fault.KindOf(err); err != nil && h.hub.work.Err() != nil && (kind == fault.Internal || kind == fault.Unavailable) {
		return fault.Busy(time.Second, err, "the server is stopping")
	}
	return err
}

func (h handlers) stream(c *fiber.Ctx) error {
	values := request.Values(httpapi.QueryValues(c))
	delete(values, auth.QueryToken) // is the guard's
	return h.serve(c, request.FromQuery(values))
}

// streamByBody is stream for filters that are too long for a URL.
func (h handlers) streamByBody(c *fiber.Ctx) error {
	if err := httpapi.ReadNone(c); err != nil {
		return err
	}
	values, err := request.FromBody(c)
	if err != nil {
		return err
	}
	return h.serve(c, values)
}

func (h handlers) viewers(c *fiber.Ctx) error {
	if err := httpapi.ReadNone(c); err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.JSON(fiber.Map{"viewers": h.hub.Viewers(auth.PrincipalOf(c))})
}

func (h handlers) serve(c *fiber.Ctx, values request.Values) error {
	asked, err := request.Parse(values, c.Get(lastEventID), time.Now())
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, "text/event-stream; charset=utf-8")
	c.Set(fiber.HeaderCacheControl, "no-store, no-transform")
	c.Set("X-Accel-Buffering", "no")               // nginx would hold events back
	c.Set(fiber.HeaderContentEncoding, "identity") // Caddy would compress, and hold events back too
	if c.Method() == fiber.MethodHead {
		return nil
	}
	asked.Principal = auth.PrincipalOf(c)
	if asked.Filter != "" {
		found, err := h.filters.Find(c.UserContext(), asked.Principal, asked.Filter)
		if err != nil {
			return err
		}
		asked.Selection = found.Selection
	}
	asked.Changes, _ = c.Locals(changesKey{}).(int64)
	asked.Address = httpapi.ClientAddress(c)
	asked.ID = httpapi.RequestID(c)
	serve, err := h.hub.Open(c.UserContext(), asked)
	if err != nil {
		return err
	}
	return httpserver.Hijack(c, serve)
}
