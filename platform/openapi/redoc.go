package openapi

import (
	_ "embed"

	"github.com/gofiber/fiber/v2"
)

// Where these come from is in redoc/VENDOR.md.
var (
	//go:embed redoc.html
	redocPage []byte
	//go:embed redoc/redoc.standalone.js.gz
	redocScript []byte
)

// redocPolicy lets ReDoc run: it styles elements as it makes them, and searches in a worker made from a blob.
const redocPolicy = "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src 'self' data:; " +
	"font-src 'self'; connect-src 'self'; worker-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// mountReDoc serves ReDoc at /redoc.
func mountReDoc(api fiber.Router) {
	api.Get("/redoc", func(c *fiber.Ctx) error {
		c.Set(fiber.HeaderContentSecurityPolicy, redocPolicy)
		c.Set(fiber.HeaderCacheControl, "no-cache")
		return c.Type("html", "utf-8").Send(redocPage)
	})
	api.Get("/redoc/redoc.standalone.js", func(c *fiber.Ctx) error {
		c.Set(fiber.HeaderCacheControl, assetCaching)
		c.Type("js", "utf-8")
		return sendGzipped(c, redocScript)
	})
}
