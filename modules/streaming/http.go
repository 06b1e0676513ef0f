package streaming

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"telltale/modules/auth"
	"telltale/platform/fault"
	"telltale/platform/httpserver"
)

// guard lets a request through whose credentials have the scopes; for browsers also those in the query.
type guard interface {
	RequireBrowser(scopes ...auth.Scope) fiber.Handler
	Require(scopes ...auth.Scope) fiber.Handler
}

// Routes returns the routes of streams.
func Routes(hub *Hub, filters *Filters, guard guard) httpserver.Routes {
	h := handlers{hub, filters}
	return httpserver.Routes{Name: "streaming", Mount: func(api fiber.Router) {
		api.Get("/stream", h.wait, guard.RequireBrowser(auth.ReadingsRead), h.stream)
		api.Post("/stream", h.wait, guard.Require(auth.ReadingsRead), h.streamByBody)
		api.Get("/stream/viewers", guard.Require(auth.Admin), h.viewers)
		savedHandlers{filters}.mount(api, guard)
	}}
}

type handlers struct {
	hub     *Hub
	filters *Filters
}

// changesKey is where a request keeps how many changes of credentials there had been before its own were checked.
type changesKey struct{}

// wait holds a request that comes while the server starts: for a browser's EventSource a 503 would be the end for good. It
// comes before the guard, which may need the database as well.
func (h handlers) wait(c *fiber.Ctx) error {
	h.hub.await(c.UserContext())
	c.Locals(changesKey{}, h.hub.changed.Load())
	return c.Next()
}

func (h handlers) stream(c *fiber.Ctx) error {
	values := given(httpserver.QueryValues(c))
	delete(values, auth.QueryToken) // is the guard's
	return h.serve(c, values)
}

// streamByBody is stream for filters that are too long for a URL.
func (h handlers) streamByBody(c *fiber.Ctx) error {
	if c.Context().QueryArgs().Len() > 0 {
		return fault.InvalidField("query", "must be empty: the parameters are in the body")
	}
	values, err := bodyValues(c)
	if err != nil {
		return err
	}
	return h.serve(c, values)
}

func (h handlers) viewers(c *fiber.Ctx) error {
	if c.Context().QueryArgs().Len() > 0 {
		return fault.InvalidField("query", "must be empty: this call has no parameters")
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.JSON(fiber.Map{"viewers": h.hub.Viewers(auth.PrincipalOf(c))})
}

func (h handlers) serve(c *fiber.Ctx, values given) error {
	request, err := parseRequest(values, c.Get(lastEventID), time.Now())
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, "text/event-stream; charset=utf-8")
	c.Set(fiber.HeaderCacheControl, "no-store, no-transform")
	c.Set("X-Accel-Buffering", "no") // nginx would hold events back
	if c.Method() == fiber.MethodHead {
		return nil
	}
	request.Principal = auth.PrincipalOf(c)
	if request.Filter != "" {
		saved, err := h.filters.Find(c.UserContext(), request.Principal, request.Filter)
		if err != nil {
			return err
		}
		request.Selection = Selection{Devices: saved.Devices, Tags: saved.Tags, Metrics: saved.Metrics}
	}
	request.Changes, _ = c.Locals(changesKey{}).(int64)
	request.Address = httpserver.ClientAddress(c)
	request.ID = httpserver.RequestID(c)
	serve, err := h.hub.Open(c.UserContext(), request)
	if err != nil {
		return err
	}
	return httpserver.Hijack(c, serve)
}
