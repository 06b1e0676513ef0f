package streaming

import (
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"telltale/modules/auth"
	"telltale/platform/httpserver"
)

// guard lets a request through whose credentials, also those in the query, have the scopes.
type guard interface {
	RequireBrowser(scopes ...auth.Scope) fiber.Handler
}

// Routes returns the route of the stream.
func Routes(hub *Hub, guard guard) httpserver.Routes {
	h := handlers{hub}
	return httpserver.Routes{Name: "streaming", Mount: func(api fiber.Router) {
		api.Get("/stream", h.wait, guard.RequireBrowser(auth.ReadingsRead), h.stream)
	}}
}

type handlers struct{ hub *Hub }

// wait holds a request that comes while the server starts: for a browser's EventSource a 503 would be the end for good. It
// comes before the guard, which may need the database as well.
func (h handlers) wait(c *fiber.Ctx) error {
	h.hub.await(c.UserContext())
	return c.Next()
}

func (h handlers) stream(c *fiber.Ctx) error {
	request, err := parseRequest(queryValues(c.Context().QueryArgs()), c.Get(lastEventID), time.Now())
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
	request.Address = strings.Clone(c.Context().RemoteIP().String())
	request.ID = httpserver.RequestID(c)
	serve, err := h.hub.Open(c.UserContext(), request)
	if err != nil {
		return err
	}
	return httpserver.Hijack(c, serve)
}
