package auth

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"telltale/modules/auth/access"
	"telltale/modules/auth/keys"
	"telltale/modules/auth/users"
	"telltale/platform/httpapi"
)

// sameOrigin is what a browser adds to what a page of this server sends.
var sameOrigin = with{"Sec-Fetch-Site", "same-origin"}

// cookieOf logs in and returns the session cookie as a browser sends it.
func (i *instance) cookieOf(username, password string, more ...string) with {
	a := i.login(username, password, append(more, "cookie", "true")...)
	require.Equal(i.t, 200, a.status, a.body)
	return sentCookie(a)
}

// sentCookie is the cookie that an answer sets, as a browser sends it.
func sentCookie(a answer) with {
	c := (&http.Response{Header: a.header}).Cookies()[0]
	return with{"Cookie", c.Name + "=" + c.Value}
}

func TestSession_ChangesThingsForPagesOfThisServerAlone(t *testing.T) {
	t.Parallel()
	i := newInstance(t)
	cookie, key := i.cookieOf("admin", adminPassword), with{"X-API-Key", ""}
	key.value, _ = i.createKey(keys.Draft{Name: "writer", Scopes: []access.Scope{access.DevicesWrite}})
	host := strings.TrimPrefix(i.server.URL, "http://")
	name, _, _ := strings.Cut(host, ":")
	for _, test := range []struct {
		what    string
		status  int
		headers []with
	}{
		{"the page", 200, []with{sameOrigin, {"Origin", i.server.URL}}},
		{"the page, its Origin hidden", 200, []with{sameOrigin}},
		{"the page by plain HTTP from another machine", 200, []with{{"Origin", i.server.URL}}},
		{"the page by HTTPS in front of a proxy", 200, []with{{"Origin", "https://" + host}}},
		{"the page behind a proxy with a host of its own", 200, []with{{"Origin", "https://telltale.example"}, {"X-Forwarded-Host", "telltale.example"}}},
		{"the page behind a proxy, as a new browser says it", 200, []with{sameOrigin, {"Origin", "https://telltale.example"}}},

		{"another site", 403, []with{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://evil.example"}}},
		{"another site without Origin", 403, []with{{"Sec-Fetch-Site", "cross-site"}}},
		{"another site by an old browser", 403, []with{{"Origin", "https://evil.example"}}},
		{"another site that begins alike", 403, []with{{"Origin", "http://" + host + ".evil.example"}}},
		{"another site that names the host as its user", 403, []with{{"Origin", "http://" + host + "@evil.example"}}},
		{"another port", 403, []with{{"Sec-Fetch-Site", "same-site"}, {"Origin", "http://" + name + ":1"}}},
		{"another port by plain HTTP", 403, []with{{"Origin", "http://" + name + ":1"}}},
		{"the host without its port", 403, []with{{"Origin", "http://" + name}}},
		{"a sibling's page", 403, []with{{"Sec-Fetch-Site", "same-site"}, {"Origin", i.server.URL}}},
		{"a frame without an origin", 403, []with{{"Origin", "null"}}},
		{"a frame without an origin, new browser", 403, []with{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "null"}}},
		{"the address bar", 403, []with{{"Sec-Fetch-Site", "none"}}},
		{"a word that no browser says", 403, []with{{"Sec-Fetch-Site", "Same-Origin"}, {"Origin", i.server.URL}}},
		{"two words", 403, []with{{"Sec-Fetch-Site", "same-origin, cross-site"}}},
		{"a form post of another site", 403, []with{{"Content-Type", "application/x-www-form-urlencoded"}, {"Origin", "https://evil.example"}, {"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Mode", "navigate"}}},
		{"a form post that says nothing", 403, []with{{"Content-Type", "application/x-www-form-urlencoded"}}},
		{"a plain text, which needs no preflight", 403, []with{{"Content-Type", "text/plain"}, {"Origin", "https://evil.example"}}},
		{"no word of where it comes from", 403, nil},
		{"a Referer alone", 403, []with{{"Referer", i.server.URL + "/devices"}}},
		{"a host forged to fit the Origin's text", 403, []with{{"Origin", "https://evil.example"}, {"X-Forwarded-Host", host}}},
		{"an Origin of another scheme", 403, []with{{"Origin", "file://" + host}}},
		{"an empty Origin and an empty forwarded host", 403, []with{{"Origin", "http://"}, {"X-Forwarded-Host", ""}}},
	} {
		t.Run(test.what, func(t *testing.T) {
			for _, method := range []string{"POST /api/things", "POST /api/auth/session"} {
				verb, path, _ := strings.Cut(method, " ")
				a := i.call(verb, path, "", append(test.headers, cookie)...)
				require.Equal(t, test.status, a.status, a.body)
				if test.status == 403 {
					require.Contains(t, into[httpapi.Problem](t, a).Detail, "only from a page of this server")
					require.Empty(t, a.header.Get("Set-Cookie"))
				}
			}
			require.Equal(t, 200, i.call("GET", "/api/things", "", append(test.headers, cookie)...).status)
			// Credentials that a browser does not send by itself need no proof.
			require.Equal(t, 200, i.call("POST", "/api/things", "", append(test.headers, cookie, key)...).status)
		})
	}
}

func TestSession_IsRenewedWhileItsUserMayHaveOne(t *testing.T) {
	t.Parallel()
	i := newInstance(t)
	i.createUser("anna", "a good password", []string{"lab-*"}, access.DevicesRead, access.DevicesWrite)
	i.clock.Advance(-20 * time.Minute)
	first := i.cookieOf("anna", "a good password", "scope", "devices:read")
	i.clock.Advance(20 * time.Minute)

	a := i.call("POST", "/api/auth/session", "", first, sameOrigin)
	require.Equal(t, 200, a.status, a.body)
	require.Equal(t, "no-store", a.header.Get("Cache-Control"))
	answered := into[sessionAnswer](t, a)
	require.Equal(t, 1800, answered.ExpiresIn)
	require.WithinDuration(t, i.clock.Now().Add(30*time.Minute), answered.ExpiresAt, time.Second)
	cookie := (&http.Response{Header: a.header}).Cookies()[0]
	require.True(t, cookie.HttpOnly)
	require.Equal(t, http.SameSiteStrictMode, cookie.SameSite)
	require.WithinDuration(t, answered.ExpiresAt, cookie.Expires, time.Second)

	second := sentCookie(a)
	me := into[meAnswer](t, i.call("GET", "/api/auth/me", "", second))
	require.Equal(t, []access.Scope{access.DevicesRead}, me.Scopes)
	require.Equal(t, []string{"lab-*"}, me.Devices)
	require.True(t, me.CanChangePassword)
	require.Equal(t, answered.ExpiresAt, *me.ExpiresAt)

	i.clock.Advance(-time.Hour)
	over := i.cookieOf("anna", "a good password")
	i.clock.Advance(time.Hour)
	i.requireRefused(i.call("POST", "/api/auth/session", "", over, sameOrigin))

	disabled, enabled := true, false
	_, err := i.users.Update(t.Context(), fullAdmin, "anna", users.Change{Disabled: &disabled})
	require.NoError(t, err)
	i.requireRefused(i.call("POST", "/api/auth/session", "", second, sameOrigin))
	_, err = i.users.Update(t.Context(), fullAdmin, "anna", users.Change{Disabled: &enabled})
	require.NoError(t, err)
	third := i.call("POST", "/api/auth/session", "", second, sameOrigin)
	require.Equal(t, 200, third.status, third.body)

	require.Equal(t, 204, i.call("POST", "/api/auth/password", `{"current_password":"a good password","new_password":"a better password"}`, sentCookie(third), sameOrigin).status)
	i.requireRefused(i.call("POST", "/api/auth/session", "", sentCookie(third), sameOrigin))
}

func TestSession_IsNotMadeOfOtherCredentials(t *testing.T) {
	t.Parallel()
	i := newInstance(t)
	key, _ := i.createKey(keys.Draft{Name: "reader", Scopes: []access.Scope{access.DevicesRead}})
	token := i.token("admin", adminPassword)
	foreign := i.foreignToken()
	for what, credentials := range map[string]with{
		"a token":                        bearer(token),
		"a key":                          bearer(key),
		"a key in its header":            {"X-API-Key", key},
		"a key in the cookie":            {"Cookie", sessionCookie + "=" + key},
		"another program's token":        bearer(foreign),
		"another program's token within": {"Cookie", sessionCookie + "=" + foreign},
	} {
		a := i.call("POST", "/api/auth/session", "", credentials, sameOrigin)
		require.Equal(t, 403, a.status, what)
		require.Empty(t, a.header.Get("Set-Cookie"))
	}
	// What was given on purpose is not passed over for the cookie.
	require.Equal(t, 403, i.call("POST", "/api/auth/session", "", bearer(token), with{"Cookie", sessionCookie + "=" + token}, sameOrigin).status)
	require.Equal(t, 422, i.call("POST", "/api/auth/session?cookie=true", "", with{"Cookie", sessionCookie + "=" + token}, sameOrigin).status)
	i.requireRefused(i.call("POST", "/api/auth/session", "", sameOrigin))
	require.False(t, into[meAnswer](t, i.call("GET", "/api/auth/me", "", bearer(key))).CanChangePassword)
	require.False(t, into[meAnswer](t, i.call("GET", "/api/auth/me", "", bearer(foreign))).CanChangePassword)
	require.True(t, into[meAnswer](t, i.call("GET", "/api/auth/me", "", bearer(token))).CanChangePassword)
}

// foreignToken is one that another program has signed with the same secret.
func (i *instance) foreignToken() string {
	return foreignToken(i.t, testSecret, jwt.MapClaims{"sub": "anna"})
}

func TestSession_IsNotChangedByPagesOfOtherSites(t *testing.T) {
	t.Parallel()
	i := newInstance(t)
	form := with{"Content-Type", "application/x-www-form-urlencoded"}
	foreign := []with{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"}}
	for _, header := range foreign {
		a := i.call("POST", "/api/auth/token", "cookie=true&username=admin&password=a+fine+password", form, header)
		require.Equal(t, 403, a.status, header)
		require.Empty(t, a.header.Get("Set-Cookie"))
		a = i.call("POST", "/api/auth/logout", "", header)
		require.Equal(t, 403, a.status, header)
		require.Empty(t, a.header.Get("Set-Cookie"))
	}
	own := with{"Sec-Fetch-Site", "same-origin"}
	require.Equal(t, 200, i.call("POST", "/api/auth/token", "cookie=true&username=admin&password=a+fine+password", form, own).status)
	require.Equal(t, 204, i.call("POST", "/api/auth/logout", "", own).status)
}
