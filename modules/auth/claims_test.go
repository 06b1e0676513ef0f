package auth

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"telltale/config"
	"telltale/modules/auth/access"
	"telltale/modules/auth/signing/signingtest"
	"telltale/platform/glob"
	"telltale/platform/postgres/pgtest"
)

// raw adds members to good claims as they stand.
func raw(members string) string {
	return strings.TrimSuffix(claimsWith(nil), "}") + "," + members + "}"
}

func TestClaims_AreTakenByTheirExactNamesAndOnce(t *testing.T) {
	t.Parallel()
	i := newInstance(t)
	later := time.Now().Add(time.Hour).Unix()
	status := func(claims string) int {
		return i.call("GET", "/api/things", "", bearer(sign(t, jwt.SigningMethodHS256, []byte(testSecret), nil, claims))).status
	}
	without := func(name, members string) string {
		return strings.TrimSuffix(claimsWith(change{name: nil}), "}") + "," + members + "}"
	}
	for name, claims := range map[string]string{
		"SCOPE":             raw(`"SCOPE":"admin"`),
		"Scope alone":       without("scope", `"Scope":"devices:read"`),
		"ſcope (long s)":    raw(`"ſcope":"admin"`),
		"Sub":               raw(`"Sub":"root"`),
		"SUB alone":         without("sub", `"SUB":"root"`),
		"Exp alone":         without("exp", fmt.Sprintf(`"Exp":%d`, later)),
		"EXP beside":        raw(fmt.Sprintf(`"EXP":%d`, later)),
		"Devices":           raw(`"Devices":["*"]`),
		"Acct":              raw(`"Acct":"x"`),
		"Iss":               raw(`"Iss":"telltale"`),
		"AUD":               raw(`"AUD":"x"`),
		"Nbf":               raw(`"Nbf":1`),
		"sub twice":         raw(`"sub":"root"`),
		"scope twice":       raw(`"scope":"admin"`),
		"scope twice alike": raw(`"scope":"devices:read"`),
		"scope escaped":     raw(`"\u0073cope":"admin"`),
		"exp twice":         raw(fmt.Sprintf(`"exp":%d`, later)),
		"devices twice":     raw(`"devices":["a"],"devices":["*"]`),
		"unknown twice":     raw(`"email":"a","email":"b"`),
		"not UTF-8":         raw("\"name\":\"\xff\""),
	} {
		require.Equal(t, http.StatusUnauthorized, status(claims), name)
	}
	for name, claims := range map[string]string{
		"foreign claims":                 raw(`"email":"a@example","Email":"b","roles":[{"sub":1,"sub":2}],"x":null`),
		"names that only begin alike":    raw(`"scopes":"admin","subject":"root","expires":1`),
		"known claims that are not used": raw(`"iat":1,"jti":"x","aud":["a","b"]`),
	} {
		require.Equal(t, http.StatusOK, status(claims), name)
	}
	for name, header := range map[string]string{
		"alg twice":  `{"alg":"HS256","alg":"HS256"}`,
		"ALG beside": `{"alg":"HS256","ALG":"none"}`,
		"kid twice":  `{"alg":"HS256","kid":"a","kid":"b"}`,
		"Crit":       `{"alg":"HS256","Crit":["exp"]}`,
	} {
		unsigned := segment(header) + "." + segment(claimsWith(nil))
		signature, err := jwt.SigningMethodHS256.Sign(unsigned, []byte(testSecret))
		require.NoError(t, err)
		require.Equal(t, http.StatusUnauthorized, i.call("GET", "/api/things", "", bearer(unsigned+"."+segment(string(signature)))).status, name)
	}
}

func TestClaims_SubjectIsPrintable(t *testing.T) {
	t.Parallel()
	i := newInstance(t)
	for subject, want := range map[string]int{
		"anna": 200, "Anna Ö. 李": 200, "auth0|5f7c8ec7": 200, "client@clients": 200,
		"a\nb": 401, "a\rb": 401, "\x00": 401, "a\x1b[2J": 401, "a\x7f": 401, "a\u0085b": 401, "a\u202eb": 401, "a\u2028b": 401, "\ufeffanna": 401, "a\tb": 401,
	} {
		token := sign(t, jwt.SigningMethodHS256, []byte(testSecret), nil, claimsWith(change{"sub": subject}))
		require.Equal(t, want, i.call("GET", "/api/things", "", bearer(token)).status, "%q", subject)
	}
}

func TestClaims_NotBeforeHasALeewayAndExpiryNone(t *testing.T) {
	t.Parallel()
	i := newInstance(t)
	now := time.Now()
	for name, test := range map[string]struct {
		changes change
		want    int
	}{
		"an issuer whose clock is ahead":  {change{"nbf": now.Add(clockSkew - 10*time.Second).Unix()}, 200},
		"an issuer whose clock is behind": {change{"nbf": now.Add(-time.Hour).Unix()}, 200},
		"beyond the leeway":               {change{"nbf": now.Add(clockSkew + time.Hour).Unix()}, 401},
		"expired within it":               {change{"exp": now.Add(-clockSkew / 2).Unix()}, 401},
		"not before null":                 {change{}, 200},
	} {
		token := sign(t, jwt.SigningMethodHS256, []byte(testSecret), nil, claimsWith(test.changes))
		require.Equal(t, test.want, i.call("GET", "/api/things", "", bearer(token)).status, name)
	}
}

func TestTokens_NameTheirAudience(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	outside := config.Auth{Algorithm: "RS256", PublicKey: publicPEM(t, signingtest.RSAKey()), Audience: "telltale-api"}
	open := outside
	open.Audience = ""
	strict, lax := newInstanceOn(t, db, outside), newInstanceOn(t, db, open)
	for name, test := range map[string]struct {
		audience any
		want     int
	}{
		"its own":          {"telltale-api", 200},
		"among others":     {[]string{"account", "telltale-api"}, 200},
		"another":          {"billing", 401},
		"others":           {[]string{"billing", "account"}, 401},
		"none":             {nil, 401},
		"empty":            {"", 401},
		"an empty list":    {[]string{}, 401},
		"in another case":  {"Telltale-API", 401},
		"a part of a name": {"telltale-api-2", 401},
	} {
		token := bearer(sign(t, jwt.SigningMethodRS256, signingtest.RSAKey(), nil, claimsWith(change{"aud": test.audience})))
		require.Equal(t, test.want, strict.call("GET", "/api/things", "", token).status, name)
		require.Equal(t, 200, lax.call("GET", "/api/things", "", token).status, name)
	}
	for _, malformed := range []any{7, change{"telltale-api": true}, []any{"telltale-api", 7}} {
		token := bearer(sign(t, jwt.SigningMethodRS256, signingtest.RSAKey(), nil, claimsWith(change{"aud": malformed})))
		require.Equal(t, 401, strict.call("GET", "/api/things", "", token).status)
	}
	require.NoError(t, strict.tokens.Start(t.Context()))
	require.Zero(t, strict.logs.FilterMessageSnippet("JWT_AUDIENCE").Len())
	require.NoError(t, lax.tokens.Start(t.Context()))
	require.Equal(t, 1, lax.logs.FilterMessageSnippet("JWT_AUDIENCE").Len())

	own := newInstanceOn(t, pgtest.New(t), config.Auth{Algorithm: "HS256", SecretKey: testSecret, Audience: "telltale-api"})
	own.createUser("admin", adminPassword, nil, access.Admin)
	require.Equal(t, 200, own.call("GET", "/api/things", "", bearer(own.token("admin", adminPassword))).status)
	require.Equal(t, 401, own.call("GET", "/api/things", "", bearer(sign(t, jwt.SigningMethodHS256, []byte(testSecret), nil, claimsWith(nil)))).status)
	require.NoError(t, own.tokens.Start(t.Context()))
	require.Zero(t, own.logs.FilterMessageSnippet("JWT_AUDIENCE").Len())
}

func TestTokens_OfUsersWithManyDevicesWork(t *testing.T) {
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
	_, err := i.users.Update(t.Context(), fullAdmin, "anna", UserChange{Devices: &[]string{"one"}})
	require.NoError(t, err)
	require.Equal(t, []string{"one"}, into[meAnswer](t, i.call("GET", "/api/auth/me", "", bearer(token))).Devices)
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
