package acceptance

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"telltale/platform/postgres/pgtest"
)

// key makes an API key that may write readings of new devices, and returns it.
func (p *program) key() string {
	p.t.Helper()
	status, answer, err := p.try("POST", "/api/auth/keys", "application/json",
		strings.NewReader(`{"name":"writer","scopes":["readings:write","devices:write"]}`))
	require.NoError(p.t, err)
	require.Equal(p.t, http.StatusCreated, status, "%s", answer)
	_, key, _ := strings.Cut(string(answer), `"key":"`)
	key, _, _ = strings.Cut(key, `"`)
	require.True(p.t, strings.HasPrefix(key, "tt_"), "%s", answer)
	return key
}

// Clients of InfluxDB bring their token in many ways.
func TestInflux_WriterMayBringItsKeyAsClientsDo(t *testing.T) {
	t.Parallel()
	p := start(t, pgtest.Config(t), "LOG_LEVEL=debug")
	key := p.key()
	for name, c := range map[string]struct {
		path, user, password, authorization string
		want                                int
	}{
		"as a token":                {path: "/api/v2/write", authorization: "Token " + key, want: 204},
		"as a bearer token":         {path: "/api/v2/write", authorization: "Bearer " + key, want: 204},
		"as a password":             {path: "/write", user: "telegraf", password: key, want: 204},
		"in the query":              {path: "/write?db=d&u=telegraf&p=" + key, want: 204},
		"in both":                   {path: "/write?p=nonsense", authorization: "Token " + key, want: 204},
		"nowhere":                   {path: "/write?db=d", want: 401},
		"nowhere, with a user":      {path: "/write?db=d&u=admin&p=", want: 401},
		"as an unreadable one":      {path: "/write", authorization: "Basic %%%", want: 401},
		"as the wrong password":     {path: "/write", user: "admin", password: adminPassword, want: 401},
		"in the query of the other": {path: "/api/v2/write?p=" + key, want: 401},
	} {
		request, err := http.NewRequestWithContext(t.Context(), "POST", p.url+c.path, strings.NewReader("m,device=a value=1"))
		require.NoError(t, err)
		request.Header.Set("Content-Type", "text/plain")
		if c.authorization != "" {
			request.Header.Set("Authorization", c.authorization)
		}
		if c.user != "" {
			request.SetBasicAuth(c.user, c.password)
		}
		client := p.http
		if c.want != 204 {
			client = http.DefaultClient // the document does not allow these
		}
		response, err := client.Do(request)
		require.NoError(t, err, name)
		require.NoError(t, response.Body.Close())
		require.Equal(t, c.want, response.StatusCode, name)
	}
	require.Zero(t, p.stop())
	require.NotContains(t, p.log.String(), key)
	require.NotContains(t, p.log.String(), key[len(key)-20:])
}
