package auth

import (
	"crypto/elliptic"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"telltale/config"
	"telltale/modules/auth/access"
	"telltale/modules/auth/keys"
	"telltale/modules/auth/keytext"
	"telltale/modules/auth/signing/signingtest"
	"telltale/platform/postgres/pgtest"
)

// foreignToken is a token that another program has signed with the secret, by HS256. It is good for an hour and has devices:read, unless
// the claims say otherwise.
func foreignToken(t *testing.T, secret string, claims jwt.MapClaims) string {
	all := jwt.MapClaims{"exp": time.Now().Add(time.Hour).Unix(), "scope": "devices:read"}
	for name, value := range claims {
		all[name] = value
	}
	text, err := jwt.NewWithClaims(jwt.SigningMethodHS256, all).SignedString([]byte(secret))
	require.NoError(t, err)
	return text
}

func TestCredentials_ForgedTokensAreRefusedWhereverTheyAre(t *testing.T) {
	t.Parallel()
	i := newInstance(t)
	good := i.foreignToken()
	require.JSONEq(t, `"anna"`, i.call("GET", "/api/things", "", bearer(good)).body)
	parts := strings.Split(good, ".")
	for name, token := range map[string]string{
		"other key":              foreignToken(t, testSecret+"!", jwt.MapClaims{"sub": "anna"}),
		"no signature":           parts[0] + "." + parts[1] + ".",
		"two parts":              parts[0] + "." + parts[1],
		"expired":                foreignToken(t, testSecret, jwt.MapClaims{"sub": "anna", "exp": time.Now().Add(-time.Second).Unix()}),
		"foreign issuer":         foreignToken(t, testSecret, jwt.MapClaims{"sub": "anna", "iss": "https://elsewhere.example"}),
		"no subject":             foreignToken(t, testSecret, nil),
		"own token of no one":    foreignToken(t, testSecret, jwt.MapClaims{"sub": "anna", "acct": "AAAAAAAAAAAAAAAA", "iss": "telltale"}),
		"own token, no password": foreignToken(t, testSecret, jwt.MapClaims{"sub": "admin", "acct": "AAAAAAAAAAAAAAAA"}),
		"a word":                 "a-word-that-is-no-token",
		"dots":                   "..",
		"one letter":             "x",
	} {
		for where, answer := range map[string]answer{
			"header": i.call("GET", "/api/things", "", bearer(token)),
			"query":  i.call("GET", "/api/live?access_token="+token, ""),
			"cookie": i.call("GET", "/api/things", "", with{"Cookie", sessionCookie + "=" + token}),
		} {
			i.requireRefused(answer)
			require.Contains(t, answer.header.Get("WWW-Authenticate"), `error="invalid_token"`, name+" in the "+where)
		}
	}
	huge := foreignToken(t, testSecret, jwt.MapClaims{"sub": "anna", "padding": strings.Repeat("x", 18<<10)})
	i.requireRefused(i.call("GET", "/api/things", "", bearer(huge)))
}

func TestCredentials_MalformedAuthorizationIsRefused(t *testing.T) {
	t.Parallel()
	i := newInstance(t)
	good := i.foreignToken()
	for _, header := range []string{
		good, "Bearer", "Bearer ", "Bearer  ", "Basic YWRtaW46YWRtaW4=", "Token " + good, "Bearer " + good + " " + good,
		"Bearer=" + good, "Bearer " + good + ",", "Digest x", "Bearer tökén", "Bearer a!.b!.c!",
	} {
		i.requireRefused(i.call("GET", "/api/things", "", with{"Authorization", header}))
	}
	a := i.call("GET", "/api/things", "", with{"Authorization", "bearer   " + good})
	require.Equal(t, http.StatusOK, a.status, a.body)
}

func TestCredentials_ThatAreMissingAreNoErrorOfTheToken(t *testing.T) {
	t.Parallel()
	i := newInstance(t)
	a := i.call("GET", "/api/things", "")
	i.requireRefused(a)
	require.Equal(t, `Bearer realm="telltale"`, a.header.Get("WWW-Authenticate"))
}

func TestGuard_AnUnreachableProviderDelaysTokensAndNothingElse(t *testing.T) {
	t.Parallel()
	p := signingtest.NewProvider(t)
	i := newInstanceOn(t, pgtest.New(t), config.Auth{Algorithm: "ES256", JWKSURL: p.URL})
	token, err := jwt.NewWithClaims(jwt.SigningMethodES256, jwt.MapClaims{"sub": "anna", "exp": time.Now().Add(time.Hour).Unix()}).
		SignedString(signingtest.ECKey(t, elliptic.P256()))
	require.NoError(t, err)
	a := i.call("GET", "/api/things", "", bearer(token))
	require.Equal(t, http.StatusServiceUnavailable, a.status, a.body)
	require.NotEmpty(t, a.header.Get("Retry-After"))
	key, _ := i.createKey(keys.Draft{Name: "still works", Scopes: []access.Scope{access.DevicesRead}})
	require.Equal(t, 200, i.call("GET", "/api/things", "", bearer(key)).status)
	i.requireRefused(i.call("GET", "/api/things", "", bearer("x.y.z")))
}

func TestGuard_AcceptsWhatAProviderHasSigned(t *testing.T) {
	t.Parallel()
	key := signingtest.ECKey(t, elliptic.P256())
	p := signingtest.NewProvider(t, signingtest.JWK("a", key))
	i := newInstanceOn(t, pgtest.New(t), config.Auth{Algorithm: "ES256", JWKSURL: p.URL})
	claims := jwt.MapClaims{"sub": "anna", "exp": time.Now().Add(time.Hour).Unix(), "scope": "devices:read", "acct": "ignored"}
	token, err := jwt.NewWithClaims(jwt.SigningMethodES256, claims).SignedString(key)
	require.NoError(t, err)
	require.JSONEq(t, `"anna"`, i.call("GET", "/api/things", "", bearer(token)).body)
	reasons := i.login("admin", adminPassword).fields(t)
	require.Contains(t, reasons["grant_type"], "identity provider")
}

func FuzzAuthorization(f *testing.F) {
	id, secret := keytext.Generate()
	for _, seed := range []string{
		"", "Bearer x", "Bearer " + keytext.Format(id, secret), "Token " + keytext.Format(id, secret), "token x", "Bearer a.b.c",
		"Basic YQ==", "Bearer tt_", "Bearer  tt__", "Bearer\tx", "Bearer ü", keytext.Format(id, secret),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		text, err := parseAuthorization(header)
		if err != nil {
			require.Empty(t, text)
			return
		}
		require.NotEmpty(t, text)
		require.True(t, strings.HasSuffix(strings.TrimRight(header, " "), " "+text))
		require.False(t, strings.ContainsFunc(text, notTokenText))
		id, secret, ok := keytext.Parse(text)
		require.Equal(t, ok, ok && keytext.Format(id, secret) == text)
		if ok {
			require.Len(t, id, 16)
			require.Len(t, secret, 43)
		} else {
			require.Empty(t, id+secret)
		}
	})
}
