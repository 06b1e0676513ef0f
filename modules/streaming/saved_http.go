package streaming

import (
	"maps"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"telltale/modules/auth"
	"telltale/platform/fault"
	"telltale/platform/httpserver"
)

// savedHandlers answer the calls about saved filters.
type savedHandlers struct{ filters *Filters }

func (h savedHandlers) mount(api fiber.Router, guard guard) {
	api.Get("/stream/filters", guard.Require(auth.ReadingsRead), h.list)
	api.Post("/stream/filters", guard.Require(auth.ReadingsRead), h.save)
	api.Get("/stream/filters/:id", guard.Require(auth.ReadingsRead), h.get)
	api.Delete("/stream/filters/:id", guard.Require(auth.ReadingsRead), h.delete)
}

func (h savedHandlers) save(c *fiber.Ctx) error {
	if err := noQuery(c); err != nil {
		return err
	}
	values, err := bodyValues(c)
	if err != nil {
		return err
	}
	selection, err := parseSelection(values)
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

// parseSelection reads the lists of a filter, and nothing else.
func parseSelection(values given) (Selection, error) {
	p := parser{values: values}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		switch {
		case !slices.Contains(selectionParameters, name):
			p.fail(name, "is not a part of a saved filter, which knows device, tag, metric")
		case slices.ContainsFunc(values[name], func(word string) bool { return strings.ContainsRune(word, 0) }):
			p.fail(name, "must not have a NUL in it")
		}
	}
	var r Request
	if len(p.faults) == 0 {
		for name := range values {
			p.selection(&r, name)
		}
	}
	if err := p.faults.Err(); err != nil {
		return Selection{}, err
	}
	return r.Selection, nil
}

func (h savedHandlers) list(c *fiber.Ctx) error {
	if err := noQuery(c); err != nil {
		return err
	}
	list, err := h.filters.List(c.UserContext(), auth.PrincipalOf(c))
	if err != nil {
		return err
	}
	return c.JSON(fiber.Map{"filters": list})
}

func (h savedHandlers) get(c *fiber.Ctx) error {
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

func (h savedHandlers) delete(c *fiber.Ctx) error {
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
func (h savedHandlers) target(c *fiber.Ctx) (string, error) {
	if err := noQuery(c); err != nil {
		return "", err
	}
	return httpserver.PathParam(c, "id")
}

func noQuery(c *fiber.Ctx) error {
	if c.Context().QueryArgs().Len() > 0 {
		return fault.InvalidField("query", "must be empty: this call has no parameters in the URL")
	}
	return nil
}
