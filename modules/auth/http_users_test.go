package auth

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/modules/auth/access"
	"telltale/modules/auth/keys"
	"telltale/modules/auth/users"
	"telltale/platform/glob"
)

func TestUsers_AreManagedByAnAdministrator(t *testing.T) {
	t.Parallel()
	i := newInstance(t)
	admin := bearer(i.token("admin", adminPassword))

	a := i.call("POST", "/api/auth/users", `{"username":"anna@example.org","password":"a good password","scopes":["readings:read","devices:read","devices:read"],"devices":["lab-*"]}`, admin)
	require.Equal(t, http.StatusCreated, a.status, a.body)
	require.Equal(t, "/api/auth/users/anna@example.org", a.header.Get("Location"))
	require.NotContains(t, a.body, "password")
	anna := into[userAnswer](t, a)
	require.Equal(t, []access.Scope{access.DevicesRead, access.ReadingsRead}, anna.Scopes)
	require.Equal(t, []string{"lab-*"}, anna.Devices)
	require.Equal(t, anna, into[userAnswer](t, i.call("GET", "/api/auth/users/anna%40example.org", "", admin)))
	require.Equal(t, 409, i.call("POST", "/api/auth/users", `{"username":"anna@example.org","password":"a good password","scopes":[]}`, admin).status)

	users := into[usersAnswer](t, i.call("GET", "/api/auth/users", "", admin))
	require.Len(t, users.Users, 2)
	require.Nil(t, users.NextCursor)

	token := i.token("anna@example.org", "a good password")
	patch := func(body string) userAnswer {
		a := i.call("PATCH", "/api/auth/users/anna@example.org", body, admin)
		require.Equal(t, 200, a.status, a.body)
		return into[userAnswer](t, a)
	}
	require.Equal(t, 200, i.call("GET", "/api/things", "", bearer(token)).status)
	require.Equal(t, []access.Scope{access.ReadingsRead}, patch(`{"scopes":["readings:read"]}`).Scopes)
	require.Equal(t, 403, i.call("GET", "/api/things", "", bearer(token)).status, "narrower scopes apply to tokens")
	require.Nil(t, patch(`{"devices":null}`).Devices)
	require.Nil(t, into[meAnswer](t, i.call("GET", "/api/auth/me", "", bearer(token))).Devices)
	require.Equal(t, []string{}, patch(`{"devices":[]}`).Devices)
	require.Equal(t, []string{}, into[meAnswer](t, i.call("GET", "/api/auth/me", "", bearer(token))).Devices, "an empty list is no device, not every one")
	require.Equal(t, []string{}, patch(`{}`).Devices)

	require.True(t, patch(`{"disabled":true}`).Disabled)
	i.requireRefused(i.call("GET", "/api/auth/me", "", bearer(token)))
	i.requireRefused(i.login("anna@example.org", "a good password"))
	require.False(t, patch(`{"disabled":false}`).Disabled)
	require.Equal(t, 200, i.call("GET", "/api/auth/me", "", bearer(token)).status)
	patch(`{"password":"another password"}`)
	i.requireRefused(i.call("GET", "/api/auth/me", "", bearer(token)))
	token = i.token("anna@example.org", "another password")

	require.Equal(t, 204, i.call("DELETE", "/api/auth/users/anna@example.org", "", admin).status)
	i.requireRefused(i.call("GET", "/api/auth/me", "", bearer(token)))
	i.createUser("anna@example.org", "another password", nil, access.Admin)
	i.requireRefused(i.call("GET", "/api/auth/me", "", bearer(token)))
	require.Equal(t, 204, i.call("DELETE", "/api/auth/users/anna@example.org", "", admin).status)
	for _, method := range []string{"GET", "DELETE", "PATCH"} {
		require.Equal(t, 404, i.call(method, "/api/auth/users/anna@example.org", "{}", admin).status)
		require.Equal(t, 404, i.call(method, "/api/auth/users/no%20name", "{}", admin).status)
	}
}

func TestUsers_UserBodiesAreChecked(t *testing.T) {
	t.Parallel()
	i := newInstance(t)
	admin := bearer(i.token("admin", adminPassword))
	for body, fields := range map[string][]string{
		`{}`:   {"username", "password", "scopes"},
		`[]`:   {"body"},
		`{"`:   {"body"},
		`null`: {"body"},
		`{"username":7,"password":7,"scopes":"admin","devices":"*","disabled":"no","admin":true}`:                      {"username", "password", "scopes", "devices", "disabled", "admin"},
		`{"username":null,"password":null,"scopes":null}`:                                                              {"username", "password", "scopes"},
		`{"username":"a b","password":"long enough","scopes":[]}`:                                                      {"username"},
		`{"username":"","password":"short"}`:                                                                           {"username", "scopes", "password"},
		`{"username":"anna","password":"short","scopes":["root",null],"devices":["[a","ok","a/b",""],"disabled":true}`: {"password", "scopes", "devices[0]", "devices[2]", "devices[3]"},
		`{"username":"LongEnough","password":"longenough","scopes":[]}`:                                                {"password"},
		`{"username":"anna","password":"long enough","scopes":[],"devices":["a",null]}`:                                {"devices"},
		`{"username":"anna","password":"long enough","scopes":[],"devices":["a b"]}`:                                   {"devices[0]"},
	} {
		reasons := i.call("POST", "/api/auth/users", body, admin).fields(t)
		require.Len(t, reasons, len(fields), "%s: %v", body, reasons)
		for _, field := range fields {
			require.Contains(t, reasons, field, body)
		}
	}
	require.Contains(t, i.call("PATCH", "/api/auth/users/admin", `{"username":"root"}`, admin).fields(t), "username")
	require.Contains(t, i.call("GET", "/api/auth/users?limit=0&cursor=%20&x=1", "", admin).fields(t), "x")
	require.Len(t, i.call("GET", "/api/auth/users?limit=1001&cursor=%20&limit=2", "", admin).fields(t), 2)
	require.Contains(t, i.call("GET", "/api/auth/me?x=1", "", admin).fields(t), "x")
	require.Equal(t, 415, i.call("POST", "/api/auth/users", "{}", admin, with{"Content-Type", "text/plain"}).status)
	require.Equal(t, 415, i.call("POST", "/api/auth/users", "{}", admin, with{"Content-Encoding", "gzip"}).status)
}

func TestUsers_ListsOfUsersHavePages(t *testing.T) {
	t.Parallel()
	i := newInstance(t)
	for n := range 7 {
		devices := []string{"lab-1"}
		if n%2 == 0 {
			devices = []string{"attic"}
		}
		i.createUser(fmt.Sprintf("user%d", n), "a good password", devices)
	}
	names := func(credentials with) (names []string, pages int) {
		for cursor := ""; ; pages++ {
			a := i.call("GET", "/api/auth/users?limit=2"+cursor, "", credentials)
			page := into[usersAnswer](t, a)
			for _, user := range page.Users {
				names = append(names, user.Username)
			}
			if page.NextCursor == nil {
				return names, pages
			}
			cursor = "&cursor=" + *page.NextCursor
			require.Contains(t, names, *page.NextCursor, "a cursor must not name who is hidden")
		}
	}
	all, _ := names(bearer(i.token("admin", adminPassword)))
	require.Equal(t, []string{"admin", "user0", "user1", "user2", "user3", "user4", "user5", "user6"}, all)
	key, _ := i.createKey(keys.Draft{Name: "lab", Scopes: []access.Scope{access.Admin}, Devices: []string{"lab-*"}})
	some, pages := names(bearer(key))
	require.Equal(t, []string{"user1", "user3", "user5"}, some)
	require.Equal(t, 1, pages)
}

func TestUsers_ALimitedAdministratorStaysWithinItsDevices(t *testing.T) {
	t.Parallel()
	i := newInstance(t)
	i.createUser("boss", "a good password", []string{"lab-*", "attic"}, access.Admin)
	i.createUser("mate", "a good password", []string{"lab-1", "lab-2-*"}, access.DevicesRead)
	i.createUser("other", "a good password", []string{"lab-1", "cellar"}, access.DevicesRead)
	_, hidden := i.createKey(keys.Draft{Name: "hidden", Scopes: []access.Scope{access.Admin}})
	boss := bearer(i.token("boss", "a good password"))
	create := func(path, devices string) int {
		body := `{"username":"new","password":"a good password","scopes":["admin"]` + devices + `}`
		if path == "/api/auth/keys" {
			body = `{"name":"new","scopes":["admin"]` + devices + `}`
		}
		return i.call("POST", path, body, boss).status
	}
	for _, path := range []string{"/api/auth/users", "/api/auth/keys"} {
		for _, devices := range []string{``, `,"devices":null`, `,"devices":["*"]`, `,"devices":["lab-1","cellar"]`, `,"devices":["la*"]`, `,"devices":["[l]ab-*"]`} {
			require.Equal(t, 403, create(path, devices), path+devices)
		}
		require.Equal(t, 201, create(path, `,"devices":["lab-7","lab-8-*","attic"]`), path)
	}
	for _, name := range []string{"admin", "other", "nobody"} {
		require.Equal(t, 404, i.call("GET", "/api/auth/users/"+name, "", boss).status)
		require.Equal(t, 404, i.call("PATCH", "/api/auth/users/"+name, `{"password":"stolen password"}`, boss).status)
		require.Equal(t, 404, i.call("DELETE", "/api/auth/users/"+name, "", boss).status)
	}
	require.Equal(t, 404, i.call("DELETE", "/api/auth/keys/"+hidden, "", boss).status)
	require.Equal(t, 200, i.call("PATCH", "/api/auth/users/mate", `{"devices":["lab-9"]}`, boss).status)
	require.Equal(t, 403, i.call("PATCH", "/api/auth/users/mate", `{"devices":null}`, boss).status)
	require.Equal(t, 403, i.call("PATCH", "/api/auth/users/boss", `{"devices":null}`, boss).status)
	users := into[usersAnswer](t, i.call("GET", "/api/auth/users", "", boss)).Users
	require.Equal(t, []string{"boss", "mate", "new"}, []string{users[0].Username, users[1].Username, users[2].Username})
	keys := into[keysAnswer](t, i.call("GET", "/api/auth/keys", "", boss)).Keys
	require.Len(t, keys, 1)
	require.Equal(t, "new", keys[0].Name)
}

func TestUsers_TheLastAdministratorStays(t *testing.T) {
	t.Parallel()
	i := newInstance(t)
	admin := bearer(i.token("admin", adminPassword))
	i.createUser("limited", "a good password", []string{"a"}, access.Admin)
	last := func(status int) {
		t.Helper()
		for _, body := range []string{`{"disabled":true}`, `{"scopes":["devices:read"]}`, `{"devices":["*"]}`} {
			require.Equal(t, status, i.call("PATCH", "/api/auth/users/admin", body, admin).status, body)
		}
		require.Equal(t, status, i.call("DELETE", "/api/auth/users/admin", "", admin).status)
	}
	last(409)
	_, err := i.users.Create(t.Context(), fullAdmin, users.Draft{Username: "off", Password: "a good password", Scopes: []access.Scope{access.Admin}, Disabled: true})
	require.NoError(t, err)
	last(409)
	require.Equal(t, 200, i.call("PATCH", "/api/auth/users/admin", `{"password":"a new password"}`, admin).status)
	admin = bearer(i.token("admin", "a new password"))
	i.createUser("second", "a good password", nil, access.Admin)
	require.Equal(t, 204, i.call("DELETE", "/api/auth/users/admin", "", admin).status)
}

func TestUsers_WhatOneInstanceEndsTheOtherEndsSoon(t *testing.T) {
	t.Parallel()
	i := newInstance(t)
	other := i.another()
	i.createUser("anna", "a good password", nil, access.DevicesRead)
	token := i.token("anna", "a good password")
	require.Equal(t, 200, other.call("GET", "/api/things", "", bearer(token)).status)
	_, err := i.users.Update(t.Context(), fullAdmin, "anna", users.Change{Disabled: new(true)})
	require.NoError(t, err)
	i.requireRefused(i.call("GET", "/api/things", "", bearer(token)))
	other.clock.Advance(3 * time.Second)
	other.requireRefused(other.call("GET", "/api/things", "", bearer(token)))
}

func TestUsers_WithManyDevicesHaveShortTokens(t *testing.T) {
	t.Parallel()
	i := newInstance(t)
	devices := make([]string, access.MaxPatterns)
	for n := range devices {
		devices[n] = fmt.Sprintf("%0*d-*", glob.MaxLength-2, n)
	}
	i.createUser("anna", "a good password", devices, access.DevicesRead, access.ReadingsRead)
	a := i.login("anna", "a good password", "cookie", "true")
	require.Equal(t, 200, a.status)
	token := into[tokenAnswer](t, a).AccessToken
	require.Less(t, len(a.header.Get("Set-Cookie")), 4096, "browsers keep no larger cookie")
	for _, credentials := range []with{bearer(token), {"Cookie", sessionCookie + "=" + token}} {
		me := i.call("GET", "/api/auth/me", "", credentials)
		require.Equal(t, 200, me.status)
		require.Equal(t, devices, into[meAnswer](t, me).Devices)
	}
	require.Equal(t, 200, i.call("GET", "/api/live?access_token="+token, "").status)
	_, err := i.users.Update(t.Context(), fullAdmin, "anna", users.Change{Devices: &[]string{"one"}})
	require.NoError(t, err)
	require.Equal(t, []string{"one"}, into[meAnswer](t, i.call("GET", "/api/auth/me", "", bearer(token))).Devices)
}
