package saved

import (
	"github.com/gofiber/fiber/v2"

	"telltale/modules/auth"
	"telltale/modules/auth/access"
	"telltale/modules/streaming/request"
	"telltale/platform/httpapi"
)

// handlers answer the calls about saved filters.
type handlers struct{ filters *Filters }

// guard lets a request through whose credentials have the scopes.
type guard interface {
	Require(scopes ...access.Scope) fiber.Handler
}

// Mount adds the routes of saved filters.
func Mount(api fiber.Router, filters *Filters, guard guard) {
	h := handlers{filters}
	api.Get("/stream/filters", guard.Require(access.ReadingsRead), h.list)
	api.Post("/stream/filters", guard.Require(access.ReadingsRead), h.save)
	api.Get("/stream/filters/:id", guard.Require(access.ReadingsRead), h.get)
	api.Delete("/stream/filters/:id", guard.Require(access.ReadingsRead), h.delete)
}

func (h handlers) save(c *fiber.Ctx) error {
	if err := httpapi.ReadNone(c); err != nil {
		return err
	}
	values, err := request.FromBody(c)
	if err != nil {
		return err
	}
	selection, err := request.ParseSelection(values)
	if err != nil {
		return err
	}
	saved, err := h.filters.Save(c.UserContext(), auth.PrincipalOf(c), selection)
	if err != nil {
		return err
	}
	c.Location("/api/stream/filters/" + saved.ID)
	return c.Status(fiber.StatusCreated).JSON(saved)
}

func (h handlers) list(c *fiber.Ctx) error {
	if err := httpapi.ReadNone(c); err != nil {
		return err
	}
	list, err := h.filters.List(c.UserContext(), auth.PrincipalOf(c))
	if err != nil {
		return err
	}
	return c.JSON(fiber.Map{"filters": list})
}

func (h handlers) get(c *fiber.Ctx) error {
	id, err := h.target(c)
	if err != nil {
		return err
	}
	saved, err := h.filters.Find(c.UserContext(), auth.PrincipalOf(c), id)
	if err != nil {
		return err
	}
	return c.JSON(saved)
}

func (h handlers) delete(c *fiber.Ctx) error {
	id, err := h.target(c)
	if err != nil {
		return err
	}
	if err := h.filters.Delete(c.UserContext(), auth.PrincipalOf(c), id); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

// target returns the id that the path names.
func (h handlers) target(c *fiber.Ctx) (string, error) {
	if err := httpapi.ReadNone(c); err != nil {
		return "", err
	}
	return httpapi.PathParam(c, "id")
}
