package httpapi

import (
	"strings"

	"github.com/gofiber/fiber/v2"
)

// NoneMatch reports whether the client has to be sent the representation with the entity tag: false when the request's
// If-None-Match names it, by weak comparison (RFC 9110, 13.1.2), or any by an asterisk. A tag that a proxy has marked when it
// compressed the answer still names it.
func NoneMatch(c *fiber.Ctx, tag string) bool {
	opaque := strings.TrimPrefix(tag, "W/")
	for part := range strings.SplitSeq(c.Get(fiber.HeaderIfNoneMatch), ",") {
		part = strings.TrimPrefix(strings.TrimSpace(part), "W/")
		if part == "*" || part == opaque || unmarked(part) == opaque {
			return false
		}
	}
	return true
}

// unmarked returns an entity tag without the coding that Apache ("x-gzip"), Caddy ("x-zstd"), Jetty ("x--gzip") and others
// ("x;gzip") add to it.
func unmarked(tag string) string {
	text := strings.TrimSuffix(tag, `"`)
	for _, coding := range []string{"gzip", "br", "zstd", "deflate"} {
		before, marked := strings.CutSuffix(text, coding)
		bare := strings.TrimRight(before, "-;")
		if marked && len(text) < len(tag) && len(bare) < len(before) {
			return bare + `"`
		}
	}
	return tag
}
