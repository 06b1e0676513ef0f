package httpapp_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zapcore"

	"telltale/config"
	"telltale/platform/fault"
	"telltale/platform/httpapi"
	"telltale/platform/httpserver/httpservertest"
)

// items has the routes that the tests of the middleware ask.
func items() []httpapi.Routes {
	return []httpapi.Routes{{Name: "items", Mount: func(api fiber.Router) {
		api.Get("/items/:id", func(c *fiber.Ctx) error {
			id, err := httpapi.PathParam(c, "id")
			if err != nil {
				return err
			}
			httpapi.SetSubject(c, "ada")
			return c.SendString(id)
		})
		api.Post("/items", func(*fiber.Ctx) error { return fault.New(fault.Unavailable, "later") })
	}}}
}

func TestRequestID_IsTakenOverIfItIsSaneAndReplacedOtherwise(t *testing.T) {
	t.Parallel()
	server := httpservertest.Serve(t, items())
	require.Equal(t, "Abc-1.2_3", server.Ask(t, "GET", "/api/items/7", "X-Request-ID", "Abc-1.2_3").Header.Get("X-Request-ID"))
	seen := map[string]bool{}
	for _, id := range []string{"", "a b", "a\"b", "ä", strings.Repeat("x", 65)} {
		got := server.Ask(t, "GET", "/api/items/7", "X-Request-ID", id).Header.Get("X-Request-ID")
		require.Regexp(t, `^[A-Z2-7]{26}$`, got)
		require.False(t, seen[got])
		seen[got] = true
	}
}

func TestAccessLog_TellsWhoDidWhatButNoSecret(t *testing.T) {
	t.Parallel()
	log, logs := httpservertest.WatchedLog()
	server := httpservertest.Serve(t, items(), httpservertest.WithLog(log))
	server.Ask(t, "GET", "/api/items/seven?access_token=sesame", "Authorization", "Bearer sesame", "Cookie", "s=sesame", "X-Request-ID", "r1")
	server.Ask(t, "POST", "/api/items?access_token=sesame", "X-Request-ID", "r2")
	server.Ask(t, "GET", "/api/other/sesame", "X-Request-ID", "r3")
	require.NoError(t, server.Stop(t.Context()))

	entries := logs.FilterMessage("request").All()
	require.Len(t, entries, 3)
	first := entries[0].ContextMap()
	require.Positive(t, first["duration_ms"])
	delete(first, "duration_ms")
	require.Equal(t, map[string]any{
		"method": "GET", "route": "/api/items/:id", "path": "/api/items/seven", "status": int64(200), "bytes": int64(5),
		"request_id": "r1", "address": "127.0.0.1", "subject": "ada",
	}, first)
	require.Equal(t, zapcore.InfoLevel, entries[0].Level)
	require.Equal(t, zapcore.WarnLevel, entries[1].Level)
	require.Equal(t, "later", entries[1].ContextMap()["error"])
	require.Equal(t, "(none)", entries[2].ContextMap()["route"])
	for _, entry := range logs.All() {
		fields := entry.ContextMap()
		delete(fields, "path")
		require.NotContains(t, fmt.Sprint(entry.Message, fields), "sesame")
		require.NotContains(t, fmt.Sprint(entry.ContextMap()["path"]), "token")
	}
}

func TestAccessLog_ShowsTheQuietOnlyWhenSomethingIsWrong(t *testing.T) {
	t.Parallel()
	log, logs := httpservertest.WatchedLog()
	server := httpservertest.Serve(t, items(), httpservertest.WithLog(log), httpservertest.WithQuiet("ada"))
	server.Ask(t, "GET", "/api/items/seven")
	server.Ask(t, "POST", "/api/items")
	require.NoError(t, server.Stop(t.Context()))
	entries := logs.FilterMessage("request").All()
	require.Len(t, entries, 2)
	require.Equal(t, zapcore.DebugLevel, entries[0].Level)
	require.Equal(t, zapcore.WarnLevel, entries[1].Level)
}

func TestMiddleware_EveryAnswerCarriesTheSecurityHeaders(t *testing.T) {
	t.Parallel()
	server := httpservertest.Serve(t, items())
	for _, path := range []string{"/api/items/7", "/nothing"} {
		header := server.Ask(t, "GET", path).Header
		require.Equal(t, "nosniff", header.Get("X-Content-Type-Options"))
		require.Equal(t, "no-referrer", header.Get("Referrer-Policy"))
		require.Equal(t, "default-src 'none'; frame-ancestors 'none'", header.Get("Content-Security-Policy"))
		require.Equal(t, "no-store", header.Get("Cache-Control"))
		require.NotEmpty(t, header.Get("Date"))
		require.Empty(t, header.Get("Server"))
		require.Empty(t, header.Get("Access-Control-Allow-Origin"))
	}
}

func TestMiddleware_OnlyAllowedOriginsMayReadWithCredentials(t *testing.T) {
	t.Parallel()
	server := httpservertest.Serve(t, items(), httpservertest.WithConfig(config.HTTP{
		MaxBodyBytes: 1000, AllowedOrigins: []string{"https://a.example", "http://localhost:3000"},
	}))
	for _, path := range []string{"/api/items/7", "/api/nothing"} { // errors are readable too
		header := server.Ask(t, "GET", path, "Origin", "http://localhost:3000").Header
		require.Equal(t, "http://localhost:3000", header.Get("Access-Control-Allow-Origin"))
		require.Equal(t, "true", header.Get("Access-Control-Allow-Credentials"))
		for _, name := range []string{
			"X-Request-ID", "Retry-After", "WWW-Authenticate", "ETag", "Location", "Telltale-Downsampled", "X-Influxdb-Version", "Content-Encoding", "Allow",
		} {
			require.Contains(t, strings.Split(header.Get("Access-Control-Expose-Headers"), ","), name)
		}
		require.Empty(t, server.Ask(t, "GET", path, "Origin", "https://evil.example").Header.Get("Access-Control-Allow-Origin"))
	}
	preflight := []string{"Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization"}
	res := server.Ask(t, "OPTIONS", "/api/items", append(preflight, "Origin", "https://a.example")...)
	require.Equal(t, 204, res.StatusCode)
	require.Equal(t, "https://a.example", res.Header.Get("Access-Control-Allow-Origin"))
	require.Contains(t, res.Header.Get("Access-Control-Allow-Headers"), "Authorization")
	require.Contains(t, res.Header.Get("Access-Control-Allow-Headers"), "X-API-Key")
	// What stand-ins for EventSource and HTTP libraries add by themselves must not have the browser refuse the request.
	for _, name := range []string{"cache-control", "last-event-id", "x-requested-with", "pragma", "if-none-match", "content-encoding", "accept"} {
		require.Contains(t, strings.ToLower(res.Header.Get("Access-Control-Allow-Headers"))+",", name+",")
	}
	require.Equal(t, "3600", res.Header.Get("Access-Control-Max-Age"))
	res = server.Ask(t, "OPTIONS", "/api/items", append(preflight, "Origin", "https://evil.example")...)
	require.Empty(t, res.Header.Get("Access-Control-Allow-Origin"))
}

func TestMiddleware_AnyOriginMayReadOnlyWithoutCredentials(t *testing.T) {
	t.Parallel()
	server := httpservertest.Serve(t, items(), httpservertest.WithConfig(config.HTTP{
		MaxBodyBytes: 1000, AllowedOrigins: []string{"https://a.example", "*"},
	}))
	header := server.Ask(t, "GET", "/api/items/7", "Origin", "https://other.example").Header
	require.Equal(t, "*", header.Get("Access-Control-Allow-Origin"))
	require.Empty(t, header.Get("Access-Control-Allow-Credentials"))
}
