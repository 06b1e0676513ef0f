package httpapp_test

import (
	"context"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"

	"telltale/config"
	"telltale/platform/fault"
	"telltale/platform/httpapi"
	"telltale/platform/httpserver/httpservertest"
)

func TestSampling_CountsEachRequestInOneLine(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ sample, requests, lines int }{{0, 7, 7}, {1, 7, 7}, {3, 7, 3}, {3, 6, 2}, {100, 7, 1}} {
		log, logs := httpservertest.WatchedLog()
		server := httpservertest.Serve(t, []httpapi.Routes{{Name: "post", Mount: func(api fiber.Router) {
			api.Post("/post", func(c *fiber.Ctx) error {
				httpapi.Repetitive(c)
				if c.Query("bad") != "" {
					return fault.New(fault.Unavailable, "later")
				}
				return c.SendString("12345")
			})
			api.Get("/other", func(c *fiber.Ctx) error { return c.SendString("other") })
		}}}, httpservertest.WithLog(log), httpservertest.WithConfig(config.HTTP{MaxBodyBytes: 1000, AccessLogIngestSample: test.sample}))
		for range test.requests {
			require.Equal(t, 200, server.Ask(t, "POST", "/api/post").StatusCode)
			require.Equal(t, 503, server.Ask(t, "POST", "/api/post?bad=1").StatusCode)
			require.Equal(t, 200, server.Ask(t, "GET", "/api/other").StatusCode)
		}
		require.NoError(t, server.Stop(context.Background()))
		failures, others, lines, counted := 0, 0, 0, int64(0)
		for _, entry := range logs.All() {
			fields := entry.ContextMap()
			switch {
			case entry.Message != "request" && entry.Message != "requests":
			case fields["status"] == int64(503):
				failures++
			case fields["route"] == "/api/other":
				others++
			default:
				lines++
				n, _ := fields["stands_for"].(int64)
				counted += max(1, n)
			}
		}
		require.Equal(t, test.requests, failures)
		require.Equal(t, test.requests, others)
		require.Equal(t, test.lines, lines, test)
		require.EqualValues(t, test.requests, counted)
	}
}
