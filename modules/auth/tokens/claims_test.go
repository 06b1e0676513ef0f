package tokens

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"telltale/config"
	"telltale/modules/auth/access"
	"telltale/modules/auth/signing/signingtest"
)

// raw adds members to good claims as they stand.
func raw(members string) string {
	return strings.TrimSuffix(claimsWith(nil), "}") + "," + members + "}"
}

func TestClaims_AreTakenByTheirExactNamesAndOnce(t *testing.T) {
	t.Parallel()
	s := newService(t)
	later := time.Now().Add(time.Hour).Unix()
	accepted := func(claims string) bool {
		return s.accepts(t, sign(t, jwt.SigningMethodHS256, []byte(testSecret), nil, claims))
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
		require.False(t, accepted(claims), name)
	}
	for name, claims := range map[string]string{
		"foreign claims":                 raw(`"email":"a@example","Email":"b","roles":[{"sub":1,"sub":2}],"x":null`),
		"names that only begin alike":    raw(`"scopes":"admin","subject":"root","expires":1`),
		"known claims that are not used": raw(`"iat":1,"jti":"x","aud":["a","b"]`),
	} {
		require.True(t, accepted(claims), name)
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
		require.False(t, s.accepts(t, unsigned+"."+segment(string(signature))), name)
	}
}

func TestClaims_SubjectIsPrintable(t *testing.T) {
	t.Parallel()
	s := newService(t)
	for subject, want := range map[string]bool{
		"anna": true, "Anna Ö. 李": true, "auth0|5f7c8ec7": true, "client@clients": true,
		"a\nb": false, "a\rb": false, "\x00": false, "a\x1b[2J": false, "a\x7f": false, "a\u0085b": false, "a\u202eb": false, "a\u2028b": false, "\ufeffanna": false, "a\tb": false,
	} {
		token := sign(t, jwt.SigningMethodHS256, []byte(testSecret), nil, claimsWith(change{"sub": subject}))
		require.Equal(t, want, s.accepts(t, token), "%q", subject)
	}
}

func TestClaims_NotBeforeHasALeewayAndExpiryNone(t *testing.T) {
	t.Parallel()
	s := newService(t)
	now := time.Now()
	for name, test := range map[string]struct {
		changes change
		want    bool
	}{
		"an issuer whose clock is ahead":  {change{"nbf": now.Add(clockSkew - 10*time.Second).Unix()}, true},
		"an issuer whose clock is behind": {change{"nbf": now.Add(-time.Hour).Unix()}, true},
		"beyond the leeway":               {change{"nbf": now.Add(clockSkew + time.Hour).Unix()}, false},
		"expired within it":               {change{"exp": now.Add(-clockSkew / 2).Unix()}, false},
		"not before null":                 {change{}, true},
	} {
		token := sign(t, jwt.SigningMethodHS256, []byte(testSecret), nil, claimsWith(test.changes))
		require.Equal(t, test.want, s.accepts(t, token), name)
	}
}

func TestTokens_NameTheirAudience(t *testing.T) {
	t.Parallel()
	outside := config.Auth{Algorithm: "RS256", PublicKey: publicPEM(t, signingtest.RSAKey()), Audience: "telltale-api"}
	open := outside
	open.Audience = ""
	strict, lax := newServiceOf(t, outside), newServiceOf(t, open)
	for name, test := range map[string]struct {
		audience any
		want     bool
	}{
		"its own":          {"telltale-api", true},
		"among others":     {[]string{"account", "telltale-api"}, true},
		"another":          {"billing", false},
		"others":           {[]string{"billing", "account"}, false},
		"none":             {nil, false},
		"empty":            {"", false},
		"an empty list":    {[]string{}, false},
		"in another case":  {"Telltale-API", false},
		"a part of a name": {"telltale-api-2", false},
	} {
		token := sign(t, jwt.SigningMethodRS256, signingtest.RSAKey(), nil, claimsWith(change{"aud": test.audience}))
		require.Equal(t, test.want, strict.accepts(t, token), name)
		require.True(t, lax.accepts(t, token), name)
	}
	for _, malformed := range []any{7, change{"telltale-api": true}, []any{"telltale-api", 7}} {
		token := sign(t, jwt.SigningMethodRS256, signingtest.RSAKey(), nil, claimsWith(change{"aud": malformed}))
		require.False(t, strict.accepts(t, token))
	}
	require.NoError(t, strict.Start(t.Context()))
	require.Zero(t, strict.logs.FilterMessageSnippet("JWT_AUDIENCE").Len())
	require.NoError(t, lax.Start(t.Context()))
	require.Equal(t, 1, lax.logs.FilterMessageSnippet("JWT_AUDIENCE").Len())

	own := newServiceOf(t, config.Auth{Algorithm: "HS256", SecretKey: testSecret, Audience: "telltale-api"})
	token, _, err := own.Issue("admin", "a fingerprint", []access.Scope{access.Admin})
	require.NoError(t, err)
	require.True(t, own.accepts(t, token))
	require.False(t, own.accepts(t, sign(t, jwt.SigningMethodHS256, []byte(testSecret), nil, claimsWith(nil))))
	require.NoError(t, own.Start(t.Context()))
	require.Zero(t, own.logs.FilterMessageSnippet("JWT_AUDIENCE").Len())
}
