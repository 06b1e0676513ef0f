package httpapi_test

import (
	"io"
	"net/http"
	"net/netip"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"

	"telltale/config"
	"telltale/platform/httpapi"
	"telltale/platform/httpserver/httpservertest"
)

// whoami serves a route that answers the client's address, behind the proxies.
func whoami(t *testing.T, proxies ...string) (address func(forwardedFor ...string) string, stop func() []string) {
	t.Helper()
	log, logs := httpservertest.WatchedLog()
	cfg := config.HTTP{MaxBodyBytes: 1000}
	for _, proxy := range proxies {
		cfg.TrustedProxies = append(cfg.TrustedProxies, netip.MustParsePrefix(proxy))
	}
	server := httpservertest.Serve(t, []httpapi.Routes{{Name: "whoami", Mount: func(api fiber.Router) {
		api.Get("/whoami", func(c *fiber.Ctx) error { return c.SendString(httpapi.ClientAddress(c)) })
	}}}, httpservertest.WithConfig(cfg), httpservertest.WithLog(log))
	address = func(forwardedFor ...string) string {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/api/whoami", nil)
		require.NoError(t, err)
		req.Header["X-Forwarded-For"] = forwardedFor
		res, err := server.Client.Do(req)
		require.NoError(t, err)
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		return string(body)
	}
	return address, func() (logged []string) {
		require.NoError(t, server.Stop(t.Context()))
		for _, entry := range logs.FilterMessage("request").All() {
			logged = append(logged, entry.ContextMap()["address"].(string))
		}
		return logged
	}
}

func TestClientAddress_WithoutTrustedProxiesTheHeaderMeansNothing(t *testing.T) {
	t.Parallel()
	for _, trusted := range [][]string{nil, {"10.0.0.0/8", "::1/128"}} {
		address, logged := whoami(t, trusted...)
		require.Equal(t, "127.0.0.1", address())
		require.Equal(t, "127.0.0.1", address("192.0.2.1"))
		require.Equal(t, []string{"127.0.0.1", "127.0.0.1"}, logged())
	}
}

func TestClientAddress_TheClientIsTheLastAddressThatIsNoProxys(t *testing.T) {
	t.Parallel()
	address, logged := whoami(t, "127.0.0.0/8", "10.0.0.0/8", "fd00::/8")
	cases := []struct {
		lines []string
		want  string
	}{
		{nil, "127.0.0.1"},
		{[]string{""}, "127.0.0.1"},
		{[]string{"192.0.2.1"}, "192.0.2.1"},
		{[]string{"2001:db8::1"}, "2001:db8::1"},
		{[]string{"192.0.2.9, 192.0.2.1"}, "192.0.2.1"},
		{[]string{"192.0.2.1, 10.0.0.1,fd00::1"}, "192.0.2.1"},
		{[]string{"192.0.2.9", "192.0.2.1", "10.0.0.1"}, "192.0.2.1"},
		{[]string{"10.0.0.9, 192.0.2.1 ,10.0.0.1"}, "192.0.2.1"},
		{[]string{"10.0.0.2, 10.0.0.1"}, "10.0.0.2"},
		{[]string{"192.0.2.9, unknown, 10.0.0.1"}, "10.0.0.1"},
		{[]string{"192.0.2.9, , 10.0.0.1"}, "10.0.0.1"},
		{[]string{"192.0.2.9,"}, "127.0.0.1"},
		{[]string{"192.0.2.9, 192.0.2.300"}, "127.0.0.1"},
		{[]string{", ,junk;\"\t,192.0.2.1"}, "192.0.2.1"},
		{[]string{"::ffff:192.0.2.1, ::ffff:10.0.0.1"}, "192.0.2.1"},
		{[]string{"192.0.2.1:4711, 10.0.0.1:80"}, "192.0.2.1"},
		{[]string{"[2001:db8::1]:4711"}, "2001:db8::1"},
		{[]string{"fe80::1%eth0"}, "fe80::1"},
	}
	var want []string
	for _, c := range cases {
		require.Equal(t, c.want, address(c.lines...), c.lines)
		want = append(want, c.want)
	}
	require.Equal(t, want, logged())
}
