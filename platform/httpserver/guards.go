package httpserver

import (
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/cors"

	"telltale/platform/fault"
)

// apiPolicy forbids a browser to do anything with an answer of the API except read it. Pages set a policy of their own.
const apiPolicy = "default-src 'none'; frame-ancestors 'none'"

// protect sets the security headers of every answer. Handlers may replace Cache-Control and Content-Security-Policy.
func protect(c *fiber.Ctx) error {
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	c.Set(fiber.HeaderReferrerPolicy, "no-referrer")
	c.Set(fiber.HeaderContentSecurityPolicy, apiPolicy)
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.Next()
}

// crossOrigin admits the origins to the API from a browser, with credentials; "*" admits any, and then without. It
// returns nil when there are none to admit.
func crossOrigin(origins []string) fiber.Handler {
	if len(origins) == 0 {
		return nil
	}
	anyone := slices.Contains(origins, "*")
	if anyone {
		origins = []string{"*"}
	}
	return cors.New(cors.Config{
		AllowOrigins:     strings.Join(origins, ","),
		AllowCredentials: !anyone,
		AllowMethods:     "GET,HEAD,POST,PUT,PATCH,DELETE",
		AllowHeaders:     "Authorization,X-API-Key,Content-Type,Content-Encoding,Accept,Last-Event-ID,If-None-Match,If-Match,X-Request-ID",
		ExposeHeaders:    "X-Request-ID,Retry-After,WWW-Authenticate,ETag,Location,Link,Content-Disposition",
		MaxAge:           int(time.Hour / time.Second),
	})
}

// refuse answers new requests on connections that were kept alive into the server's stop, and has every answer from then
// on close its connection. Health and metrics speak for themselves to the end.
func (d *Drain) refuse(c *fiber.Ctx) error {
	if d.Active() {
		c.Context().SetConnectionClose()
		if !isQuiet(c.Path()) {
			return fault.Busy(time.Second, nil, "the server is stopping")
		}
	}
	err := c.Next()
	if d.Active() {
		c.Context().SetConnectionClose()
	}
	return err
}
