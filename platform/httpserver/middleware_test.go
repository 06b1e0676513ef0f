package httpserver_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zapcore"

	"telltale/config"
	"telltale/platform/fault"
	"telltale/platform/httpserver"
	"telltale/platform/httpserver/httpservertest"
)

// items has the routes that the tests of the middleware ask.
func items() []httpserver.Routes {
	return []httpserver.Routes{{Name: "items", Mount: func(api fiber.Router) {
		api.Get("/items/:id", func(c *fiber.Ctx) error {
			id, err := httpserver.PathParam(c, "id")
			if err != nil {
				return err
			}
			c.Locals("telltale.subject", "ada")
			return c.SendString(id)
		})
		api.Post("/items", func(*fiber.Ctx) error { return fault.New(fault.Unavailable, "later") })
	}}}
}

func ask(t *testing.T, server *httpservertest.Server, method, path string, header ...string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, nil)
	require.NoError(t, err)
	for n := 0; n < len(header); n += 2 {
		req.Header.Set(header[n], header[n+1])
	}
	res, err := server.Client.Do(req)
	require.NoError(t, err)
	t.Cleanup(func() { _ = res.Body.Close() })
	return res
}

func TestASaneRequestIDIsTakenOverAndAnyOtherReplaced(t *testing.T) {
	t.Parallel()
	server := httpservertest.Serve(t, items())
	require.Equal(t, "Abc-1.2_3", ask(t, server, "GET", "/api/items/7", "X-Request-ID", "Abc-1.2_3").Header.Get("X-Request-ID"))
	seen := map[string]bool{}
	for _, id := range []string{"", "a b", "a\"b", "ä", strings.Repeat("x", 65)} {
		got := ask(t, server, "GET", "/api/items/7", "X-Request-ID", id).Header.Get("X-Request-ID")
		require.Regexp(t, `^[A-Z2-7]{26}$`, got)
		require.False(t, seen[got])
		seen[got] = true
	}
}

func TestTheAccessLogTellsWhoDidWhatButNoSecret(t *testing.T) {
	t.Parallel()
	log, logs := watched(t)
	server := httpservertest.Serve(t, items(), httpservertest.WithLog(log))
	ask(t, server, "GET", "/api/items/seven?access_token=sesame", "Authorization", "Bearer sesame", "Cookie", "s=sesame", "X-Request-ID", "r1")
	ask(t, server, "POST", "/api/items?access_token=sesame", "X-Request-ID", "r2")
	ask(t, server, "GET", "/api/other/sesame", "X-Request-ID", "r3")
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

func TestTheQuietShowInTheLogOnlyWhenSomethingIsWrong(t *testing.T) {
	t.Parallel()
	log, logs := watched(t)
	server := httpservertest.Serve(t, items(), httpservertest.WithLog(log), httpservertest.WithQuiet("ada"))
	ask(t, server, "GET", "/api/items/seven")
	ask(t, server, "POST", "/api/items")
	require.NoError(t, server.Stop(t.Context()))
	entries := logs.FilterMessage("request").All()
	require.Len(t, entries, 2)
	require.Equal(t, zapcore.DebugLevel, entries[0].Level)
	require.Equal(t, zapcore.WarnLevel, entries[1].Level)
}

func TestPathParametersAreDecodedOnce(t *testing.T) {
	t.Parallel()
	server := httpservertest.Serve(t, items())
	for path, want := range map[string]string{"a+b": "a+b", "caf%C3%A9": "café", "50%25": "50%", "a%2Fb": "a/b"} {
		res := ask(t, server, "GET", "/api/items/"+path)
		require.Equal(t, 200, res.StatusCode)
		require.EqualValues(t, len(want), res.ContentLength, path)
	}
	client := dial(t, server.URL)
	client.get("/api/items/%zz")
	res, _ := client.answer()
	require.Equal(t, 422, res.StatusCode)
}

func TestEveryAnswerCarriesTheSecurityHeaders(t *testing.T) {
	t.Parallel()
	server := httpservertest.Serve(t, items())
	for _, path := range []string{"/api/items/7", "/nothing"} {
		header := ask(t, server, "GET", path).Header
		require.Equal(t, "nosniff", header.Get("X-Content-Type-Options"))
		require.Equal(t, "no-referrer", header.Get("Referrer-Policy"))
		require.Equal(t, "default-src 'none'; frame-ancestors 'none'", header.Get("Content-Security-Policy"))
		require.Equal(t, "no-store", header.Get("Cache-Control"))
		require.NotEmpty(t, header.Get("Date"))
		require.Empty(t, header.Get("Server"))
		require.Empty(t, header.Get("Access-Control-Allow-Origin"))
	}
}

func TestOnlyAllowedOriginsMayReadWithCredentials(t *testing.T) {
	t.Parallel()
	server := httpservertest.Serve(t, items(), httpservertest.WithConfig(config.HTTP{
		MaxBodyBytes: 1000, AllowedOrigins: []string{"https://a.example", "http://localhost:3000"},
	}))
	for _, path := range []string{"/api/items/7", "/api/nothing"} { // errors are readable too
		header := ask(t, server, "GET", path, "Origin", "http://localhost:3000").Header
		require.Equal(t, "http://localhost:3000", header.Get("Access-Control-Allow-Origin"))
		require.Equal(t, "true", header.Get("Access-Control-Allow-Credentials"))
		require.Contains(t, header.Get("Access-Control-Expose-Headers"), "X-Request-ID")
		require.Empty(t, ask(t, server, "GET", path, "Origin", "https://evil.example").Header.Get("Access-Control-Allow-Origin"))
	}
	preflight := []string{"Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization"}
	res := ask(t, server, "OPTIONS", "/api/items", append(preflight, "Origin", "https://a.example")...)
	require.Equal(t, 204, res.StatusCode)
	require.Equal(t, "https://a.example", res.Header.Get("Access-Control-Allow-Origin"))
	require.Contains(t, res.Header.Get("Access-Control-Allow-Headers"), "Authorization")
	require.Contains(t, res.Header.Get("Access-Control-Allow-Headers"), "X-API-Key")
	res = ask(t, server, "OPTIONS", "/api/items", append(preflight, "Origin", "https://evil.example")...)
	require.Empty(t, res.Header.Get("Access-Control-Allow-Origin"))
}

func TestAnyOriginMayReadOnlyWithoutCredentials(t *testing.T) {
	t.Parallel()
	server := httpservertest.Serve(t, items(), httpservertest.WithConfig(config.HTTP{
		MaxBodyBytes: 1000, AllowedOrigins: []string{"https://a.example", "*"},
	}))
	header := ask(t, server, "GET", "/api/items/7", "Origin", "https://other.example").Header
	require.Equal(t, "*", header.Get("Access-Control-Allow-Origin"))
	require.Empty(t, header.Get("Access-Control-Allow-Credentials"))
}

func TestTheTableOfRoutesIsSortedWhateverTheOrderOfModules(t *testing.T) {
	t.Parallel()
	want := []httpserver.Route{{"GET", "/api/fail"}, {"POST", "/api/items"}, {"GET", "/api/items/:id"}}
	server := httpservertest.Serve(t, append(items(), failing(nil)))
	require.Equal(t, want, httpserver.Table(server.App))
	server = httpservertest.Serve(t, append([]httpserver.Routes{failing(nil)}, items()...))
	require.Equal(t, want, httpserver.Table(server.App))
}
