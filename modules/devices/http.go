package devices

import (
	"net/url"

	"github.com/gofiber/fiber/v2"

	"telltale/modules/auth"
	"telltale/modules/auth/access"
	"telltale/platform/httpapi"
)

// guard lets a request through whose credentials have the scopes.
type guard interface {
	Require(scopes ...access.Scope) fiber.Handler
}

// Routes returns the routes of the service.
func Routes(service *Service, guard guard) httpapi.Routes {
	h := handlers{service}
	return httpapi.Routes{Name: "devices", Mount: func(api fiber.Router) {
		api.Get("/devices", guard.Require(access.DevicesRead), h.list)
		api.Post("/devices", guard.Require(access.DevicesWrite), h.create)
		api.Get("/devices/:id", guard.Require(access.DevicesRead), h.get)
		api.Patch("/devices/:id", guard.Require(access.DevicesWrite), h.update)
		api.Delete("/devices/:id", guard.Require(access.DevicesWrite), h.delete)
	}}
}

type handlers struct{ service *Service }

// pageAnswer is the body of a list. NextCursor is null on the last page.
type pageAnswer struct {
	Devices    []Device `json:"devices"`
	NextCursor *string  `json:"next_cursor"`
}

func (h handlers) list(c *fiber.Ctx) error {
	query, err := parseQuery(listParameters.Read(c))
	if err != nil {
		return err
	}
	who := auth.PrincipalOf(c)
	page, err := h.service.List(c.UserContext(), who, query)
	if err != nil {
		return err
	}
	for i, device := range page.Devices {
		page.Devices[i] = shown(who, device)
	}
	answer := pageAnswer{Devices: page.Devices}
	if page.Next != "" {
		cursor := formatCursor(page.Next)
		answer.NextCursor = &cursor
	}
	return c.JSON(answer)
}

func (h handlers) get(c *fiber.Ctx) error {
	id, err := target(c)
	if err != nil {
		return err
	}
	who := auth.PrincipalOf(c)
	device, err := h.service.Get(c.UserContext(), who, id)
	if err != nil {
		return err
	}
	return c.JSON(shown(who, device))
}

func (h handlers) create(c *fiber.Ctx) error {
	if err := httpapi.ReadNone(c); err != nil {
		return err
	}
	draft, err := parseDraft(c)
	if err != nil {
		return err
	}
	device, err := h.service.Create(c.UserContext(), auth.PrincipalOf(c), draft)
	if err != nil {
		return err
	}
	c.Location("/api/devices/" + url.PathEscape(device.ID))
	return c.Status(fiber.StatusCreated).JSON(device)
}

func (h handlers) update(c *fiber.Ctx) error {
	id, err := target(c)
	if err != nil {
		return err
	}
	patch, err := parsePatch(c)
	if err != nil {
		return err
	}
	who := auth.PrincipalOf(c)
	device, err := h.service.Update(c.UserContext(), who, id, patch)
	switch {
	case err != nil:
		return err
	case !who.Can(access.DevicesRead):
		return c.SendStatus(fiber.StatusNoContent)
	}
	return c.JSON(shown(who, device))
}

func (h handlers) delete(c *fiber.Ctx) error {
	id, err := target(c)
	if err != nil {
		return err
	}
	if err := h.service.Delete(c.UserContext(), auth.PrincipalOf(c), id); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

// target returns the device that the path names. What cannot be an id is answered by the service, like any other
// device that does not exist.
func target(c *fiber.Ctx) (string, error) {
	if err := httpapi.ReadNone(c); err != nil {
		return "", err
	}
	return httpapi.PathParam(c, "id")
}
