package httpserver

import (
	"net/url"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"telltale/platform/fault"
)

// Route is one line of the table of routes.
type Route struct {
	Method string
	// Path is the pattern, with parameters as Fiber writes them: /api/devices/:id.
	Path string
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

// PathParam returns the parameter of the request's path, percent-decoded and copied: safe to keep. Fiber's own decoding
// is off because it would turn a plus sign into a space.
func PathParam(c *fiber.Ctx, name string) (string, error) {
	value, err := url.PathUnescape(c.Params(name))
	if err != nil {
		return "", fault.InvalidField(name, "is not a well-formed percent-encoding")
	}
	return strings.Clone(value), nil
}
