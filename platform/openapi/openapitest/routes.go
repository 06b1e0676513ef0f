package openapitest

import (
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// Route is one line of the table of routes.
type Route struct {
	Method string
	// Path is the pattern, with parameters as Fiber writes them: /api/devices/:id.
	Path string
}

// Table returns the app's routes, sorted by path and method, without middleware and without the HEAD that Fiber adds to
// every GET: what a golden test and the OpenAPI document must agree with.
func Table(app *fiber.App) []Route {
	var table []Route
	for _, r := range app.GetRoutes(true) {
		route := Route{Method: strings.Clone(r.Method), Path: strings.Clone(r.Path)}
		if r.Method != fiber.MethodHead && !slices.Contains(table, route) {
			table = append(table, route)
		}
	}
	slices.SortFunc(table, func(a, b Route) int {
		return strings.Compare(a.Path+" "+a.Method, b.Path+" "+b.Method)
	})
	return table
}

// Undocumented lists the routes that are no part of the API, as Fiber writes them: pages for people with their assets, and the names
// of the health routes that orchestrators expect at the root.
var Undocumented = []string{
	"/", "/signin", "/devices", "/devices/:id", "/compare", "/boards", "/boards/:id", "/import", "/users", "/keys", "/operations",
	"/account", "/assets/:name",
	"/health", "/livez", "/readyz",
	"/api/docs", "/api/docs/*", "/api/redoc", "/api/redoc/redoc.standalone.js",
}
