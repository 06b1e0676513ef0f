package auth

import (
	"net/http"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"
	"github.com/valyala/fasthttp"

	"telltale/modules/auth/access"
	"telltale/modules/auth/keys"
	"telltale/modules/auth/users"
	"telltale/platform/fault"
)

func TestGuard_RoutesAskForTheirScopes(t *testing.T) {
	t.Parallel()
	i := newInstance(t)
	everything := []access.Scope{access.DevicesRead, access.DevicesWrite, access.ReadingsRead, access.ReadingsWrite}
	routes := []struct {
		method, path string
		scope        access.Scope // "" for any credentials
	}{
		{"GET", "/api/auth/me", ""},
		{"GET", "/api/auth/users", access.Admin},
		{"POST", "/api/auth/users", access.Admin},
		{"GET", "/api/auth/users/admin", access.Admin},
		{"PATCH", "/api/auth/users/admin", access.Admin},
		{"DELETE", "/api/auth/users/admin", access.Admin},
		{"GET", "/api/auth/keys", access.Admin},
		{"POST", "/api/auth/keys", access.Admin},
		{"DELETE", "/api/auth/keys/aaaaaaaaaaaaaaaa", access.Admin},
		{"GET", "/api/things", access.DevicesRead},
		{"POST", "/api/things", access.DevicesWrite},
		{"GET", "/api/live", access.ReadingsRead},
	}
	texts := map[access.Scope]string{}
	for _, scope := range append(everything, access.Admin, "") {
		texts[scope], _ = i.createKey(keys.Draft{Name: "k", Scopes: access.SortedScopes([]access.Scope{scope})})
	}
	for _, route := range routes {
		i.requireRefused(i.call(route.method, route.path, ""))
		for scope, key := range texts {
			a := i.call(route.method, route.path, "", bearer(key))
			if allowed := route.scope == "" || scope == access.Admin || scope == route.scope; !allowed {
				require.Equal(t, http.StatusForbidden, a.status, "%v with %q", route, scope)
				require.Contains(t, a.header.Get("WWW-Authenticate"), `error="insufficient_scope"`)
				require.Contains(t, a.body, string(route.scope))
			} else {
				require.NotContains(t, []int{401, 403}, a.status, "%v with %q", route, scope)
			}
		}
	}
}

func TestGuard_SeveralScopesAreAllNeeded(t *testing.T) {
	t.Parallel()
	require.NoError(t, admitted(access.Principal{Scopes: []access.Scope{access.DevicesRead, access.ReadingsRead}}, access.DevicesRead, access.ReadingsRead))
	require.Equal(t, fault.Forbidden, fault.KindOf(admitted(access.Principal{Scopes: []access.Scope{access.DevicesRead}}, access.DevicesRead, access.ReadingsRead)))
	require.NoError(t, admitted(fullAdmin, access.DevicesRead, access.ReadingsWrite, access.Admin))
}

// admitted runs Admit in a request of its own.
func admitted(p access.Principal, scopes ...access.Scope) error {
	app := fiber.New()
	c := app.AcquireCtx(&fasthttp.RequestCtx{})
	defer app.ReleaseCtx(c)
	return Admit(c, p, scopes...)
}

func TestGuard_CookiesAloneAreForReading(t *testing.T) {
	t.Parallel()
	i := newInstance(t)
	a := i.login("admin", adminPassword, "cookie", "true")
	require.Equal(t, 200, a.status, a.body)
	cookies := (&http.Response{Header: a.header}).Cookies()
	require.Len(t, cookies, 1)
	session := cookies[0]
	require.Equal(t, "telltale_session", session.Name)
	require.Equal(t, into[tokenAnswer](t, a).AccessToken, session.Value)
	require.Equal(t, "/api", session.Path)
	require.True(t, session.HttpOnly)
	require.False(t, session.Secure)
	require.Equal(t, http.SameSiteStrictMode, session.SameSite)
	require.WithinDuration(t, i.clock.Now().Add(30*time.Minute), session.Expires, 2*time.Second)

	cookie := with{"Cookie", session.Name + "=" + session.Value}
	require.Equal(t, 200, i.call("GET", "/api/things", "", cookie).status)
	require.Equal(t, 200, i.call("HEAD", "/api/things", "", cookie).status)
	require.Equal(t, 200, i.call("GET", "/api/live", "", cookie).status)
	require.Equal(t, 403, i.call("POST", "/api/things", "", cookie).status)
	require.Equal(t, 403, i.call("DELETE", "/api/auth/users/admin", "", cookie).status)
	i.requireRefused(i.call("GET", "/api/things", "", cookie, bearer("wrong")))

	out := i.call("POST", "/api/auth/logout", "")
	require.Equal(t, 204, out.status)
	gone := (&http.Response{Header: out.header}).Cookies()[0]
	require.Equal(t, "telltale_session", gone.Name)
	require.Empty(t, gone.Value)
	require.Equal(t, "/api", gone.Path)
	require.True(t, gone.Expires.Before(time.Now()))
}

func TestGuard_CookiesFromHTTPSStayThere(t *testing.T) {
	t.Parallel()
	i := newInstance(t)
	a := i.call("POST", "/api/auth/token", "cookie=true&username=admin&password=a+fine+password",
		with{"Content-Type", "application/x-www-form-urlencoded"}, with{"X-Forwarded-Proto", "https"})
	require.Equal(t, 200, a.status, a.body)
	require.True(t, (&http.Response{Header: a.header}).Cookies()[0].Secure)
	require.Empty(t, i.login("admin", adminPassword).header.Get("Set-Cookie"))
}

func TestGuard_TheQueryIsForBrowsersAlone(t *testing.T) {
	t.Parallel()
	i := newInstance(t)
	token := i.token("admin", adminPassword)
	key, _ := i.createKey(keys.Draft{Name: "viewer", Scopes: []access.Scope{access.ReadingsRead}})
	require.JSONEq(t, `"admin"`, i.call("GET", "/api/live?access_token="+token, "").body)
	require.JSONEq(t, `"viewer"`, i.call("GET", "/api/live?access_token="+key, "").body)
	i.requireRefused(i.call("GET", "/api/things?access_token="+token, ""))
	i.requireRefused(i.call("POST", "/api/things?access_token="+token, ""))
	// What was given on purpose is not passed over for the cookie.
	i.requireRefused(i.call("GET", "/api/live?access_token=", "", with{"Cookie", sessionCookie + "=" + token}))
}

func TestGuard_RecheckNoticesWhatHasChanged(t *testing.T) {
	t.Parallel()
	i := newInstance(t)
	ctx := t.Context()
	i.createUser("anna", "a good password", []string{"lab-*"}, access.ReadingsRead, access.DevicesRead)
	principal := func() access.Principal {
		user, account, err := i.users.Login(ctx, "anna", "a good password", "::1")
		require.NoError(t, err)
		p, err := i.guard.current(ctx, access.Principal{Subject: "anna", Scopes: user.Scopes, Expires: i.clock.Now().Add(time.Minute), Account: account})
		require.NoError(t, err)
		return p
	}
	refused := func(p access.Principal) {
		t.Helper()
		require.Equal(t, fault.Unauthenticated, fault.KindOf(i.guard.Recheck(ctx, p)))
	}
	change := func(c users.Change) {
		_, err := i.users.Update(ctx, fullAdmin, "anna", c)
		require.NoError(t, err)
	}

	p := principal()
	require.NoError(t, i.guard.Recheck(ctx, p))
	change(users.Change{Scopes: &[]access.Scope{access.ReadingsRead}})
	refused(p)
	p = principal()
	require.NoError(t, i.guard.Recheck(ctx, p))
	change(users.Change{Devices: &[]string{}})
	refused(p)
	p = principal()
	require.NoError(t, i.guard.Recheck(ctx, p))
	change(users.Change{Devices: new([]string)})
	refused(p)
	p = principal()
	i.clock.Advance(time.Minute)
	refused(p)
	p = principal()
	change(users.Change{Disabled: new(true)})
	refused(p)

	text, id := i.createKey(keys.Draft{Name: "k", Scopes: []access.Scope{access.ReadingsRead}})
	p, err := i.keys.Verify(ctx, text)
	require.NoError(t, err)
	require.NoError(t, i.guard.Recheck(ctx, p))
	require.NoError(t, i.keys.Revoke(ctx, fullAdmin, id))
	refused(p)

	foreign := access.Principal{Subject: "from elsewhere", Expires: i.clock.Now().Add(time.Minute)}
	require.NoError(t, i.guard.Recheck(ctx, foreign))
	i.clock.Advance(time.Minute)
	refused(foreign)
}

func TestGuard_ARememberedTokenStillBelongsToItsUser(t *testing.T) {
	t.Parallel()
	i := newInstance(t)
	i.createUser("ada", "a fine password", nil, access.DevicesRead)
	token := i.token("ada", "a fine password")
	for range 3 {
		require.Equal(t, http.StatusOK, i.call("GET", "/api/things", "", bearer(token)).status)
	}
	disabled := true
	_, err := i.users.Update(t.Context(), fullAdmin, "ada", users.Change{Disabled: &disabled})
	require.NoError(t, err)
	i.requireRefused(i.call("GET", "/api/things", "", bearer(token)))
}

func TestGuard_KeepsCallersLoggedInDuringADatabaseOutage(t *testing.T) {
	t.Parallel()
	i := newInstance(t)
	token := i.token("admin", adminPassword)
	key, _ := i.createKey(keys.Draft{Name: "device", Scopes: []access.Scope{access.DevicesRead}})
	unseen, _ := i.createKey(keys.Draft{Name: "another", Scopes: []access.Scope{access.DevicesRead}})
	for _, credentials := range []string{token, key} {
		require.Equal(t, http.StatusOK, i.call("GET", "/api/things", "", bearer(credentials)).status)
	}
	require.NoError(t, i.db.Stop(t.Context()))
	i.clock.Advance(time.Minute / 2)
	for _, credentials := range []string{token, key} {
		require.Equal(t, http.StatusOK, i.call("GET", "/api/things", "", bearer(credentials)).status)
	}
	a := i.call("GET", "/api/things", "", bearer(unseen))
	require.Equal(t, http.StatusServiceUnavailable, a.status, a.body)
	require.NotEmpty(t, a.header.Get("Retry-After"))
	require.Equal(t, http.StatusServiceUnavailable, i.login("admin", adminPassword).status)
}
