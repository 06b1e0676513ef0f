// Package httpapi contains what handlers of the API share: Routes, in which a module says what it mounts; the parameters of paths
// and queries; JSON bodies; the one table that turns faults into answers (RFC 9457); conditional answers; what a handler may know
// of its client (address, request id, whether a page of another site sent the request); and what it may add to the access log.
//
// It reads bodies through package httpserver, which owns the connection. It mounts no middleware (see package httpapp) and knows no
// module's routes.
package httpapi

import (
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// Routes is one module's set of routes. Modules contribute theirs to the fx group "routes"; the server mounts them in
// order of Name, so that the table of routes does not depend on the order in which fx builds things.
type Routes struct {
	Name string
	// Mount adds the module's routes beneath /api. Handlers return errors (see package fault) and never write them.
	Mount func(api fiber.Router)
	// Root adds routes at the root, where clients written for other servers look for them; nil adds none.
	Root func(root fiber.Router)
}

// Mount adds the routes beneath /api and at the root, in order of their names.
func Mount(app *fiber.App, routes ...Routes) {
	sorted := slices.Clone(routes)
	slices.SortStableFunc(sorted, func(a, b Routes) int { return strings.Compare(a.Name, b.Name) })
	api := app.Group("/api")
	for _, r := range sorted {
		r.Mount(api)
		if r.Root != nil {
			r.Root(app)
		}
	}
}

// Unmatched stands for every path without a route, so that scanners can make neither logs nor metrics grow.
const Unmatched = "(none)"

// RoutePattern is the pattern of the route that answered. When only middleware matched (all of it is mounted at the root),
// it is Unmatched.
func RoutePattern(c *fiber.Ctx) string {
	route := c.Route()
	if len(route.Handlers) == 0 || route.Path == "/" {
		return Unmatched
	}
	return strings.Clone(route.Path)
}
