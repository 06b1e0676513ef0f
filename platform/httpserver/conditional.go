package httpserver

import (
	"strings"

	"github.com/gofiber/fiber/v2"
)

// NoneMatch reports whether the client has to be sent the representation with the entity tag: false when the request's
// If-None-Match names it, by weak comparison (RFC 9110, 13.1.2), or any by an asterisk.
func NoneMatch(c *fiber.Ctx, tag string) bool {
	opaque := strings.TrimPrefix(tag, "W/")
	for part := range strings.SplitSeq(c.Get(fiber.HeaderIfNoneMatch), ",") {
		part = strings.TrimSpace(part)
		if part == "*" || strings.TrimPrefix(part, "W/") == opaque {
			return false
		}
	}
	return true
}
