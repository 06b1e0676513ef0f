package httpapi_test

import (
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"

	"telltale/platform/httpapi"
	"telltale/platform/httpserver/httpservertest"
)

func TestNoneMatch_KnowsATagThatAProxyHasMarked(t *testing.T) {
	t.Parallel()
	server := httpservertest.Serve(t, []httpapi.Routes{{Name: "tagged", Mount: func(api fiber.Router) {
		api.Get("/tagged", func(c *fiber.Ctx) error {
			if !httpapi.NoneMatch(c, c.Query("tag")) {
				return c.SendStatus(fiber.StatusNotModified)
			}
			return c.SendString("whole")
		})
	}}})
	for _, tag := range []string{"%22x-1%22", "W/%22x-1%22"} {
		for header, status := range map[string]int{
			`"x-1"`: 304, `W/"x-1"`: 304, `*`: 304, `"y", "x-1"`: 304, `"y",W/"x-1-gzip"`: 304,
			`"x-1-gzip"`: 304, `"x-1--gzip"`: 304, `"x-1;gzip"`: 304, `"x-1-br"`: 304, `W/"x-1-zstd"`: 304, `"x-1-deflate"`: 304,
			``: 200, `"x"`: 200, `"x-2"`: 200, `"x-1gzip"`: 200, `"x-1-lzma"`: 200, `"x-2-gzip"`: 200, `x-1-gzip`: 200, `"-gzip"`: 200,
		} {
			res := server.Ask(t, "GET", "/api/tagged?tag="+tag, "If-None-Match", header)
			require.Equal(t, status, res.StatusCode, header)
		}
	}
}
