package auth

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/modules/auth/access"
	"telltale/modules/auth/keys"
	"telltale/modules/auth/users"
)

func TestLogin_AnswersLikeOAuth2(t *testing.T) {
	t.Parallel()
	i := newInstance(t)
	i.createUser("anna", "a good password", []string{"lab-*"}, access.DevicesRead, access.ReadingsRead)
	a := i.login("anna", "a good password", "grant_type", "password", "client_id", "", "client_secret", "")
	require.Equal(t, http.StatusOK, a.status, a.body)
	require.Equal(t, "no-store", a.header.Get("Cache-Control"))
	token := into[tokenAnswer](t, a)
	require.Equal(t, "bearer", token.TokenType)
	require.Equal(t, 1800, token.ExpiresIn)
	require.Equal(t, "devices:read readings:read", token.Scope)
	me := into[meAnswer](t, i.call("GET", "/api/auth/me", "", bearer(token.AccessToken)))
	require.Equal(t, "anna", me.Subject)
	require.Equal(t, []access.Scope{access.DevicesRead, access.ReadingsRead}, me.Scopes)
	require.Equal(t, []string{"lab-*"}, me.Devices)
	require.WithinDuration(t, i.clock.Now().Add(30*time.Minute), *me.ExpiresAt, 2*time.Second)
}

func TestLogin_ATokenMayHaveFewerScopesThanItsUser(t *testing.T) {
	t.Parallel()
	i := newInstance(t)
	i.createUser("anna", "a good password", nil, access.DevicesRead)
	require.Equal(t, "readings:read", into[tokenAnswer](t, i.login("admin", adminPassword, "scope", "readings:read")).Scope)
	narrow := i.token("admin", adminPassword, "scope", "readings:read")
	require.Equal(t, 403, i.call("GET", "/api/things", "", bearer(narrow)).status)
	require.Equal(t, 200, i.call("GET", "/api/live", "", bearer(narrow)).status)
	require.Equal(t, 403, i.login("anna", "a good password", "scope", "devices:read readings:read").status)
	require.Equal(t, 403, i.login("anna", "a good password", "scope", "admin").status)
	require.Contains(t, i.login("anna", "a good password", "scope", "everything").fields(t), "scope")
}

func TestLogin_FormsAreChecked(t *testing.T) {
	t.Parallel()
	i := newInstance(t)
	require.Len(t, i.call("POST", "/api/auth/token", "x=1&cookie=maybe&scope=root&grant_type=refresh_token",
		with{"Content-Type", "application/x-www-form-urlencoded"}).fields(t), 6)
	require.Contains(t, i.login("admin", adminPassword, "username", "twice").fields(t), "username")
	require.Contains(t, i.login("admin", strings.Repeat("x", 600)).fields(t), "password")
	require.Contains(t, i.call("POST", "/api/auth/token?username=admin", "username=admin&password=x",
		with{"Content-Type", "application/x-www-form-urlencoded"}).fields(t), "username")
	require.Equal(t, 415, i.call("POST", "/api/auth/token", `{"username":"admin"}`).status)
	require.Equal(t, 422, i.call("POST", "/api/auth/token", "%zz", with{"Content-Type", "application/x-www-form-urlencoded"}).status)
}

func TestLogin_EveryWrongLoginLooksAndCostsTheSame(t *testing.T) {
	t.Parallel()
	i := newInstance(t)
	i.createUser("gone", "a good password", nil, access.DevicesRead)
	_, err := i.users.Update(t.Context(), fullAdmin, "gone", users.Change{Disabled: new(true)})
	require.NoError(t, err)
	detail := func(a answer) string {
		i.requireRefused(a)
		body, _, _ := strings.Cut(a.body, `"request_id"`)
		return body
	}
	hashes := func(username, password string) (int64, string) {
		before := i.hasher.count.Load()
		text := detail(i.login(username, password))
		return i.hasher.count.Load() - before, text
	}
	_, wrong := hashes("admin", "wrong password")
	for username, password := range map[string]string{
		"admin": "another wrong one", "nobody": adminPassword, "gone": "a good password", "näme": "x", "' OR 1=1": "x", "nul\x00": "x\x00", "\xff": "\xff",
	} {
		n, text := hashes(username, password)
		require.EqualValues(t, 1, n, username)
		require.Equal(t, wrong, text, username)
	}
}

// freeLogins and freeAddresses are how many failures of a name and of an address cost nothing; see password.Throttle.
const freeLogins, freeAddresses = 5, 20

func TestLogin_RepeatedFailuresAreToldToWait(t *testing.T) {
	t.Parallel()
	i := newInstance(t)
	for range freeLogins + 1 {
		i.requireRefused(i.login("admin", "wrong password"))
	}
	before := i.hasher.count.Load()
	a := i.login("admin", adminPassword)
	require.Equal(t, http.StatusTooManyRequests, a.status, a.body)
	require.Equal(t, "1", a.header.Get("Retry-After"))
	require.Equal(t, before, i.hasher.count.Load(), "who has to wait must not cost a hash")
	i.clock.Advance(time.Second)
	require.Equal(t, 200, i.login("admin", adminPassword).status)
	i.requireRefused(i.login("admin", "wrong password"))
	require.Equal(t, 200, i.login("admin", adminPassword).status)
}

func TestLogin_ANewPasswordEndsOldTokens(t *testing.T) {
	t.Parallel()
	i := newInstance(t)
	i.createUser("anna", "a good password", nil, access.DevicesRead)
	token := i.token("anna", "a good password")
	change := func(token, current, next string) answer {
		return i.call("POST", "/api/auth/password", `{"current_password":"`+current+`","new_password":"`+next+`"}`, bearer(token))
	}
	require.Contains(t, change(token, "a good password", "short").fields(t), "new_password")
	require.Contains(t, change(token, "a good password", "a good password").fields(t), "new_password")
	require.Len(t, change(token, "", strings.Repeat("x", 129)).fields(t), 2)
	require.Len(t, i.call("POST", "/api/auth/password", `{"current_password":null,"old":1}`, bearer(token)).fields(t), 3)
	i.requireRefused(change(token, "not the password", "a better password"))
	require.Equal(t, 200, i.call("GET", "/api/things", "", bearer(token)).status)

	require.Equal(t, 204, change(token, "a good password", "a better password").status)
	i.requireRefused(i.call("GET", "/api/things", "", bearer(token)))
	i.requireRefused(i.login("anna", "a good password"))
	require.Equal(t, 200, i.call("GET", "/api/things", "", bearer(i.token("anna", "a better password"))).status)

	key, _ := i.createKey(keys.Draft{Name: "admin", Scopes: []access.Scope{access.Admin}})
	require.Equal(t, 403, change(key, adminPassword, "a stolen password").status)
}

func TestLogin_SecretsStayOutOfTheLog(t *testing.T) {
	t.Parallel()
	i := newInstance(t)
	token := i.token("admin", adminPassword)
	i.login("a secret typed as name", adminPassword)
	i.login(adminPassword, "x")
	key, _ := i.createKey(keys.Draft{Name: "viewer", Scopes: []access.Scope{access.ReadingsRead}})
	for _, credentials := range []string{token, key} {
		i.call("GET", "/api/live?access_token="+credentials, "")
		i.call("GET", "/api/things", "", bearer(credentials))
		i.call("GET", "/api/things", "", bearer(credentials+"x"))
		i.call("GET", "/api/things", "", with{"Cookie", sessionCookie + "=" + credentials})
		i.call("GET", "/api/things", "", with{"X-API-Key", credentials})
	}
	i.call("POST", "/api/auth/users", `{"username":"anna","password":"anna's password","scopes":[]}`, bearer(token))
	i.call("POST", "/api/auth/users", `{"username":"anna","password":"anna's password","scopes":["`+adminPassword+`"],"devices":7}`, bearer(token))
	i.call("PATCH", "/api/auth/users/anna", `{"password":"anna's other password"}`, bearer(token))
	require.NotZero(t, i.logs.Len())
	for _, entry := range i.logs.All() {
		text := entry.Message
		for name, value := range entry.ContextMap() {
			text += " " + name + "=" + strings.TrimSpace(strings.ReplaceAll(stringOf(value), "\n", " "))
		}
		for _, secret := range []string{adminPassword, "anna's", "a secret typed", testSecret, token, key[16+4:], strings.Split(token, ".")[2]} {
			require.NotContains(t, text, secret)
		}
	}
}

func TestLogin_ClientsBehindAProxyFailByThemselves(t *testing.T) {
	t.Parallel()
	i := newInstance(t)
	from := func(address, username, password string) int {
		return i.call("POST", "/api/auth/token", url.Values{"username": {username}, "password": {password}}.Encode(),
			with{"Content-Type", "application/x-www-form-urlencoded"}, with{"X-Forwarded-For", address}).status
	}
	for n := range freeAddresses + 1 {
		require.Equal(t, 401, from("192.0.2.1", fmt.Sprint("name", n), "a wrong one"))
	}
	require.Equal(t, 429, from("192.0.2.1", "admin", adminPassword))
	require.Equal(t, 200, from("192.0.2.2", "admin", adminPassword))
	for range 3 * 20 {
		from("192.0.2.1", "admin", "a wrong one")
		i.clock.Advance(time.Minute)
	}
	require.Equal(t, 401, from("192.0.2.1", "admin", "a wrong one"))
	require.Equal(t, 429, from("192.0.2.1", "admin", adminPassword))
	require.Equal(t, 200, from("192.0.2.2", "admin", adminPassword), "failures from elsewhere keep no user out")
	require.Equal(t, 200, from("192.0.2.3", "admin", adminPassword), "nor from a place that is new")
	require.Equal(t, 429, from("192.0.2.2, 192.0.2.1", "admin", adminPassword), "what a client makes up is no way out")
}
