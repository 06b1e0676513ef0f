package openapi

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"io/fs"
	"path"
	"regexp"
	"strings"

	"github.com/gofiber/fiber/v2"
	swaggerFiles "github.com/swaggo/files/v2"
)

// assetCaching is for scripts and styles, which change only with a new version of the program.
const assetCaching = "public, max-age=3600"

// swaggerPage is what gofiber/swagger makes of our settings, without its link to another host; a test holds it against that. The
// program does not make it by itself: html/template, which gofiber/swagger does it with, calls methods by names that are known
// only when it runs, and so has the linker keep every exported method there is, a fifth of the program.
//
//go:embed swagger.html
var swaggerPage []byte

var inlineScript = regexp.MustCompile(`(?s)<script>(.*?)</script>`)

// swaggerMedia are the types of the files beside the page.
var swaggerMedia = map[string]string{
	".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".png": "image/png",
}

// mountSwagger serves Swagger UI at /docs.
func mountSwagger(api fiber.Router) {
	policy := swaggerPolicy()
	api.Get("/docs", func(c *fiber.Ctx) error { return c.Redirect("/api/docs/index.html") })
	api.Get("/docs/*", func(c *fiber.Ctx) error {
		if file := c.Params("*"); file != "index.html" {
			return swaggerAsset(c, file)
		}
		c.Set(fiber.HeaderContentSecurityPolicy, policy)
		c.Set(fiber.HeaderCacheControl, "no-cache")
		return c.Type("html", "utf-8").Send(swaggerPage)
	})
}

// swaggerAsset serves a file of Swagger UI: the large ones are held compressed.
func swaggerAsset(c *fiber.Ctx, file string) error {
	media := swaggerMedia[path.Ext(file)]
	if media == "" || strings.Contains(file, "/") {
		return fiber.ErrNotFound
	}
	c.Set(fiber.HeaderContentType, media)
	if zipped, err := fs.ReadFile(swaggerFiles.FS, file+".gz"); err == nil {
		c.Set(fiber.HeaderCacheControl, assetCaching)
		return sendGzipped(c, zipped)
	}
	plain, err := fs.ReadFile(swaggerFiles.FS, file)
	if err != nil {
		return fiber.ErrNotFound
	}
	c.Set(fiber.HeaderCacheControl, assetCaching)
	return c.Send(plain)
}

// swaggerPolicy allows exactly the script in the page.
func swaggerPolicy() string {
	scripts := "'self'"
	for _, script := range inlineScript.FindAllSubmatch(swaggerPage, -1) {
		sum := sha256.Sum256(script[1])
		scripts += " 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	return "default-src 'none'; script-src " + scripts + "; " +
		"style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}
