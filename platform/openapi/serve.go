package openapi

import (
	"github.com/gofiber/fiber/v2"

	"telltale/platform/httpserver"
)

// Undocumented lists the routes that are no part of the API, as Fiber writes them: pages for people, the way to them, and the names of the
// health routes that orchestrators expect at the root.
var Undocumented = []string{
	"/", "/health", "/livez", "/readyz",
	"/api/docs", "/api/docs/*", "/api/redoc", "/api/redoc/redoc.standalone.js",
}

// Routes returns the routes that show the document: /openapi.json, Swagger UI at /docs and ReDoc at /redoc, and send
// who asks for / there. They need no credentials.
func Routes(doc *Document) httpserver.Routes {
	zipped := compressed(doc.JSON)
	return httpserver.Routes{Name: "openapi", Mount: func(api fiber.Router) {
		api.Get("/openapi.json", func(c *fiber.Ctx) error {
			c.Set(fiber.HeaderETag, doc.ETag)
			c.Set(fiber.HeaderCacheControl, "no-cache") // ask again, but with the ETag
			if !httpserver.NoneMatch(c, doc.ETag) {
				return c.Status(fiber.StatusNotModified).Send(nil)
			}
			c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
			return sendGzipped(c, zipped)
		})
		mountSwagger(api)
		mountReDoc(api)
	}, Root: func(root fiber.Router) {
		// Who opens the address in a browser has not been told any path.
		root.Get("/", func(c *fiber.Ctx) error { return c.Redirect("/api/docs/index.html") })
	}}
}
