package httpapp

import (
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/cors"

	"telltale/platform/fault"
	"telltale/platform/httpserver"
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

// allowedHeaders are those that a page of another origin may send: what the API reads, and what stand-ins for EventSource and
// usual HTTP libraries send by themselves.
var allowedHeaders = []string{
	"Authorization", "X-API-Key", "Content-Type", "Content-Encoding", "Accept", "Last-Event-ID", "If-None-Match", "If-Match",
	"X-Request-ID", "Cache-Control", "Pragma", "X-Requested-With",
}

// exposedHeaders are those of answers that such a page may read, besides the few that a browser always shows.
var exposedHeaders = []string{
	"X-Request-ID", "Retry-After", "WWW-Authenticate", "ETag", "Location", "Link", "Content-Disposition", "Content-Encoding",
	"Content-Length", "Allow", "Vary", "Telltale-Downsampled", "X-Influxdb-Version", "X-Influxdb-Build",
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
		AllowHeaders:     strings.Join(allowedHeaders, ","),
		ExposeHeaders:    strings.Join(exposedHeaders, ","),
		MaxAge:           int(time.Hour / time.Second),
	})
}

// refuseWhileStopping returns middleware that answers new requests on connections that were kept alive into the server's stop,
// and has every answer from then on close its connection. Health and metrics are answered to the end.
func refuseWhileStopping(drain *httpserver.Drain) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if drain.Active() {
			c.Context().SetConnectionClose()
			if !isQuiet(c.Path()) {
				return fault.Busy(time.Second, nil, "the server is stopping")
			}
		}
		err := c.Next()
		if drain.Active() {
			c.Context().SetConnectionClose()
		}
		return err
	}
}
