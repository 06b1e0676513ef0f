package boards

import (
	"github.com/gofiber/fiber/v2"

	"telltale/modules/auth"
	"telltale/modules/auth/access"
	"telltale/platform/httpapi"
)

// handlers answer the calls about boards.
type handlers struct{ boards *Boards }

// guard lets a request through whose credentials have the scopes.
type guard interface {
	Require(scopes ...access.Scope) fiber.Handler
}

// Mount adds the routes of boards. Who may read readings may have boards.
func Mount(api fiber.Router, boards *Boards, guard guard) {
	h, reader := handlers{boards}, guard.Require(access.ReadingsRead)
	api.Get("/boards", reader, h.list)
	api.Post("/boards", reader, h.create)
	api.Get("/boards/:id", reader, h.get)
	api.Put("/boards/:id", reader, h.replace)
	api.Delete("/boards/:id", reader, h.delete)
}

func (h handlers) list(c *fiber.Ctx) error {
	if err := httpapi.ReadNone(c); err != nil {
		return err
	}
	list, err := h.boards.List(c.UserContext(), auth.PrincipalOf(c))
	if err != nil {
		return err
	}
	return c.JSON(fiber.Map{"boards": list})
}

func (h handlers) create(c *fiber.Ctx) error {
	if err := httpapi.ReadNone(c); err != nil {
		return err
	}
	m, err := httpapi.ReadMembers(c, maxBytes, fiber.MIMEApplicationJSON)
	if err != nil {
		return err
	}
	draft := parseDraft(m)
	m.Unknown()
	if err := m.Faults.Err(); err != nil {
		return err
	}
	board, err := h.boards.Create(c.UserContext(), auth.PrincipalOf(c), draft)
	if err != nil {
		return err
	}
	c.Location("/api/boards/" + board.ID)
	return c.Status(fiber.StatusCreated).JSON(board)
}

func (h handlers) get(c *fiber.Ctx) error {
	id, err := target(c)
	if err != nil {
		return err
	}
	board, err := h.boards.Get(c.UserContext(), auth.PrincipalOf(c), id)
	if err != nil {
		return err
	}
	return c.JSON(board)
}

func (h handlers) replace(c *fiber.Ctx) error {
	id, err := target(c)
	if err != nil {
		return err
	}
	m, err := httpapi.ReadMembers(c, maxBytes, fiber.MIMEApplicationJSON)
	if err != nil {
		return err
	}
	m.Require("version", "document", "shared")
	version := httpapi.Take[int](m, "version", "the version that this changes, a whole number")
	draft := parseDraft(m)
	m.Unknown()
	if err := m.Faults.Err(); err != nil {
		return err
	}
	board, err := h.boards.Replace(c.UserContext(), auth.PrincipalOf(c), id, *version, draft)
	if err != nil {
		return err
	}
	return c.JSON(board)
}

func (h handlers) delete(c *fiber.Ctx) error {
	id, err := target(c)
	if err != nil {
		return err
	}
	if err := h.boards.Delete(c.UserContext(), auth.PrincipalOf(c), id); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

// target returns the id in the path. What no id can be is that of no board.
func target(c *fiber.Ctx) (string, error) {
	if err := httpapi.ReadNone(c); err != nil {
		return "", err
	}
	id, err := httpapi.PathParam(c, "id")
	if err != nil || !tileID.MatchString(id) {
		return "", notFound(id)
	}
	return id, nil
}
