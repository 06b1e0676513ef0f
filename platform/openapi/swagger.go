package openapi

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"io/fs"
	"path"
	"regexp"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/swagger"
	swaggerFiles "github.com/swaggo/files/v2"
)

// assetCaching is for scripts and styles, which change only with a new version of the program.
const assetCaching = "public, max-age=3600"

var (
	// foreignLink finds what gofiber/swagger's page would load from elsewhere: a style sheet of Google Fonts.
	foreignLink  = regexp.MustCompile(`<link[^>]+href="(https?:)?//[^>]*>`)
	inlineScript = regexp.MustCompile(`(?s)<script>(.*?)</script>`)
)

// mountSwagger serves Swagger UI at /docs.
func mountSwagger(api fiber.Router) {
	ui := swagger.New(swagger.Config{
		Title:                  "Telltale API",
		URL:                    "/api/openapi.json",
		ValidatorUrl:           "none",       // the default sends the document to a validator on another host
		Layout:                 "BaseLayout", // without the bar that offers other documents
		DeepLinking:            true,
		DisplayRequestDuration: true,
		DocExpansion:           "list",
		ShowCommonExtensions:   true,
	})
	api.Get("/docs", func(c *fiber.Ctx) error { return c.Redirect("/api/docs/index.html") })
	api.Get("/docs/*", func(c *fiber.Ctx) error {
		switch file := strings.Clone(c.Params("*")); { // gofiber/swagger overwrites the path
		case file == "index.html":
			return swaggerPage(c, ui)
		case strings.HasSuffix(file, ".map"), strings.HasSuffix(file, ".gz"), file == "doc.json", file == "":
			return fiber.ErrNotFound // gofiber/swagger would answer with what is no use here
		default:
			c.Set(fiber.HeaderCacheControl, assetCaching)
			return swaggerAsset(c, file, ui)
		}
	})
}

// swaggerAsset serves a file of Swagger UI: the large ones are held compressed.
func swaggerAsset(c *fiber.Ctx, file string, ui fiber.Handler) error {
	zipped, err := fs.ReadFile(swaggerFiles.FS, file+".gz")
	if err != nil {
		return ui(c)
	}
	c.Type(path.Ext(file), "utf-8")
	return sendGzipped(c, zipped)
}

// swaggerPage serves gofiber/swagger's page without its link to another host, and allows exactly the script in it.
func swaggerPage(c *fiber.Ctx, ui fiber.Handler) error {
	c.Request().Header.Del("X-Forwarded-Prefix") // the first client to send one would set it for all
	if err := ui(c); err != nil {
		return err
	}
	page := foreignLink.ReplaceAll(bytes.Clone(c.Response().Body()), nil)
	scripts := "'self'"
	for _, script := range inlineScript.FindAllSubmatch(page, -1) {
		sum := sha256.Sum256(script[1])
		scripts += " 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	c.Set(fiber.HeaderContentSecurityPolicy, "default-src 'none'; script-src "+scripts+"; "+
		"style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "+
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	c.Set(fiber.HeaderCacheControl, "no-cache")
	return c.Send(page)
}
