package auth

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/modules/auth/access"
	"telltale/modules/auth/keys"
)

func TestKeys_AKeyLivesUntilItIsRevoked(t *testing.T) {
	t.Parallel()
	i := newInstance(t)
	other := i.another()
	admin := bearer(i.token("admin", adminPassword))
	a := i.call("POST", "/api/auth/keys", `{"name":"greenhouse 7","scopes":["devices:write"],"devices":["greenhouse-7"]}`, admin)
	require.Equal(t, http.StatusCreated, a.status, a.body)
	require.Equal(t, "no-store", a.header.Get("Cache-Control"))
	key := into[keyAnswer](t, a)
	require.Regexp(t, `^tt_[a-z2-7]{16}_[0-9A-Za-z]{43}$`, key.Key)
	require.True(t, strings.HasPrefix(key.Key, "tt_"+key.ID+"_"))
	require.Equal(t, "admin", key.CreatedBy)

	for _, header := range []with{bearer(key.Key), {"Authorization", "Token " + key.Key}, {"X-API-Key", key.Key}} {
		require.JSONEq(t, `"greenhouse 7"`, i.call("POST", "/api/things", "", header).body)
		require.Equal(t, 200, other.call("POST", "/api/things", "", header).status)
	}
	me := into[meAnswer](t, i.call("GET", "/api/auth/me", "", bearer(key.Key)))
	require.Equal(t, meAnswer{Subject: "greenhouse 7", KeyID: &key.ID, Scopes: []access.Scope{access.DevicesWrite}, Devices: []string{"greenhouse-7"}}, me)

	wrong := key.Key[:len(key.Key)-1] + string('0'+(key.Key[len(key.Key)-1]-'0'+1)%10)
	for _, text := range []string{wrong, key.Key + "x", key.Key[:len(key.Key)-1], "tt_", "tt_" + key.ID, "tt_aaaaaaaaaaaaaaaa_" + strings.Repeat("0", 43)} {
		i.requireRefused(i.call("POST", "/api/things", "", bearer(text)))
		i.requireRefused(i.call("POST", "/api/things", "", with{"X-API-Key", text}))
	}
	i.requireRefused(i.call("POST", "/api/things", "", with{"X-API-Key", i.token("admin", adminPassword)}))

	list := i.call("GET", "/api/auth/keys", "", admin)
	require.NotContains(t, list.body, key.Key[len("tt_")+len(key.ID)+1:])
	require.NotContains(t, list.body, `"key"`)
	require.Len(t, into[keysAnswer](t, list).Keys, 1)

	require.Equal(t, 204, i.call("DELETE", "/api/auth/keys/"+key.ID, "", admin).status)
	i.requireRefused(i.call("POST", "/api/things", "", bearer(key.Key)))
	other.clock.Advance(3 * time.Second)
	other.requireRefused(other.call("POST", "/api/things", "", bearer(key.Key)))
	require.Empty(t, into[keysAnswer](t, i.call("GET", "/api/auth/keys", "", admin)).Keys)
	revoked := into[keysAnswer](t, i.call("GET", "/api/auth/keys?revoked=true", "", admin)).Keys
	require.Len(t, revoked, 1)
	require.NotNil(t, revoked[0].RevokedAt)
	require.Equal(t, 204, i.call("DELETE", "/api/auth/keys/"+key.ID, "", admin).status)
	require.Equal(t, revoked, into[keysAnswer](t, i.call("GET", "/api/auth/keys?revoked=true", "", admin)).Keys)
	require.Equal(t, 404, i.call("DELETE", "/api/auth/keys/aaaaaaaaaaaaaaaa", "", admin).status)
	require.Equal(t, 404, i.call("DELETE", "/api/auth/keys/x", "", admin).status)
}

func TestKeys_AKeyExpires(t *testing.T) {
	t.Parallel()
	i := newInstance(t)
	end := i.clock.Now().Add(time.Hour)
	key, _ := i.createKey(keys.Draft{Name: "visitor", Scopes: []access.Scope{access.DevicesRead}, ExpiresAt: &end})
	me := into[meAnswer](t, i.call("GET", "/api/auth/me", "", bearer(key)))
	require.WithinDuration(t, end, *me.ExpiresAt, time.Millisecond)
	i.clock.Advance(time.Hour)
	i.requireRefused(i.call("GET", "/api/things", "", bearer(key)))
}

func TestKeys_KeyBodiesAreChecked(t *testing.T) {
	t.Parallel()
	i := newInstance(t)
	admin := bearer(i.token("admin", adminPassword))
	for body, fields := range map[string][]string{
		`{}`: {"name", "scopes"},
		`{"name":"","scopes":["all"],"devices":[""],"expires_at":"2020-01-01T00:00:00Z"}`: {"name", "scopes", "devices[0]", "expires_at"},
		`{"name":" x","scopes":[],"expires_at":"tomorrow","id":"x"}`:                      {"expires_at", "id"},
		`{"name":" x","scopes":[]}`:                              {"name"},
		`{"name":"a\u0007b","scopes":[]}`:                        {"name"},
		`{"name":"` + strings.Repeat("x", 65) + `","scopes":[]}`: {"name"},
	} {
		reasons := i.call("POST", "/api/auth/keys", body, admin).fields(t)
		require.Len(t, reasons, len(fields), "%s: %v", body, reasons)
		for _, field := range fields {
			require.Contains(t, reasons, field, body)
		}
	}
	a := i.call("POST", "/api/auth/keys", `{"name":"Gerät 7","scopes":[],"devices":null,"expires_at":null}`, admin)
	require.Equal(t, 201, a.status, a.body)
	require.Contains(t, i.call("GET", "/api/auth/keys?revoked=yes&cursor=x", "", admin).fields(t), "cursor")
}

func TestKeys_ListsOfKeysHavePages(t *testing.T) {
	t.Parallel()
	i := newInstance(t)
	admin := bearer(i.token("admin", adminPassword))
	for n := range 5 {
		i.createKey(keys.Draft{Name: fmt.Sprint("key ", n)})
	}
	seen := map[string]bool{}
	for cursor := ""; ; {
		page := into[keysAnswer](t, i.call("GET", "/api/auth/keys?limit=2"+cursor, "", admin))
		for _, key := range page.Keys {
			require.False(t, seen[key.ID])
			seen[key.ID] = true
		}
		if page.NextCursor == nil {
			break
		}
		cursor = "&cursor=" + *page.NextCursor
	}
	require.Len(t, seen, 5)
}
