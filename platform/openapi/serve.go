package openapi

import (
	"sync"

	"github.com/gofiber/fiber/v2"

	"telltale/platform/httpapi"
	"telltale/platform/httpserver"
)

// Routes returns the routes that show the document: /openapi.json, Swagger UI at /docs and ReDoc at /redoc. They need no
// credentials.
func Routes(doc *Document) httpapi.Routes {
	zipped := sync.OnceValue(func() []byte { return httpserver.Gzip(doc.JSON) }) // not at every start
	return httpapi.Routes{Name: "openapi", Mount: func(api fiber.Router) {
		api.Get("/openapi.json", func(c *fiber.Ctx) error {
			c.Set(fiber.HeaderETag, doc.ETag)
			c.Set(fiber.HeaderCacheControl, "no-cache") // ask again, but with the ETag
			if !httpapi.NoneMatch(c, doc.ETag) {
				return c.Status(fiber.StatusNotModified).Send(nil)
			}
			c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
			return sendGzipped(c, zipped())
		})
		mountSwagger(api)
		mountReDoc(api)
	}}
}
