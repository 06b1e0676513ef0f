package httpserver

import "github.com/gofiber/fiber/v2"

// Routes is one module's set of routes. Modules contribute theirs to the fx group "routes"; the server mounts them in
// order of Name, so that the table of routes does not depend on the order in which fx builds things.
type Routes struct {
	Name string
	// Mount adds the module's routes beneath /api. Handlers return errors (see package fault) and never write them.
	Mount func(api fiber.Router)
	// Root adds routes at the root, where clients written for other servers look for them; nil adds none.
	Root func(root fiber.Router)
}
