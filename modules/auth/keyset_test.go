package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"net/http"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"telltale/config"
	"telltale/modules/auth/access"
	"telltale/modules/auth/signing/signingtest"
	"telltale/platform/postgres/pgtest"
)

func TestKeySet_VerifiesTheTokensOfItsProvider(t *testing.T) {
	t.Parallel()
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	db := pgtest.New(t)
	for _, test := range []struct {
		method jwt.SigningMethod
		key    crypto.Signer
	}{
		{jwt.SigningMethodRS256, signingtest.RSAKey()},
		{jwt.SigningMethodES256, signingtest.ECKey(t, elliptic.P256())},
		{jwt.SigningMethodES384, signingtest.ECKey(t, elliptic.P384())},
		{jwt.SigningMethodES512, signingtest.ECKey(t, elliptic.P521())},
		{jwt.SigningMethodEdDSA, ed},
	} {
		alg := test.method.Alg()
		other := signingtest.ECKey(t, elliptic.P224())
		oct := map[string]any{"kty": "oct", "kid": "oct", "k": segment(testSecret)}
		p := signingtest.NewProvider(t, signingtest.JWK("other", other), oct, signingtest.JWK("enc", test.key, "use", "enc"), signingtest.JWK("sig", test.key, "use", "sig", "alg", alg))
		i := newInstanceOn(t, db, config.Auth{Algorithm: alg, JWKSURL: p.URL, Issuer: "https://idp.example"})
		call := func(method jwt.SigningMethod, key any, header map[string]any) int {
			return i.call("GET", "/api/things", "", bearer(sign(t, method, key, header, claimsWith(change{"iss": "https://idp.example"})))).status
		}
		require.Equal(t, 200, call(test.method, test.key, change{"kid": "sig"}), alg)
		require.Equal(t, 401, call(test.method, test.key, change{"kid": "enc"}), alg)
		require.Equal(t, 401, call(test.method, test.key, change{"kid": "nobody's"}), alg)
		require.Equal(t, 401, call(test.method, test.key, change{"kid": 7}), alg)
		require.Equal(t, 200, call(test.method, test.key, nil), "the only key that fits needs no name")
		require.Equal(t, 401, call(jwt.SigningMethodHS256, []byte(testSecret), change{"kid": "oct"}), alg)
		require.Equal(t, 401, call(jwt.SigningMethodHS256, []byte(testSecret), change{"kid": "sig"}), alg)
		foreign := sign(t, test.method, test.key, change{"kid": "sig"}, claimsWith(change{"iss": "https://evil.example"}))
		require.Equal(t, 401, i.call("GET", "/api/things", "", bearer(foreign)).status, alg)
		require.Equal(t, 1, p.Count(), "unknown keys must not each cause a fetch")
	}
}

func TestKeySet_AKeyThatDoesNotFitTheAlgorithmIsNotUsed(t *testing.T) {
	t.Parallel()
	key := signingtest.ECKey(t, elliptic.P384())
	p := signingtest.NewProvider(t, signingtest.JWK("a", key))
	i := newInstanceOn(t, pgtest.New(t), config.Auth{Algorithm: "ES256", JWKSURL: p.URL})
	i.requireRefused(i.call("GET", "/api/things", "", bearer(sign(t, jwt.SigningMethodES384, key, change{"kid": "a"}, claimsWith(nil)))))
	unsigned := segment(`{"alg":"ES256","kid":"a"}`) + "." + segment(claimsWith(nil))
	i.requireRefused(i.call("GET", "/api/things", "", bearer(unsigned+"."+segment(strings.Repeat("x", 64)))))
}

func TestKeySet_AnUnreachableProviderDelaysTokensAndNothingElse(t *testing.T) {
	t.Parallel()
	p := signingtest.NewProvider(t)
	i := newInstanceOn(t, pgtest.New(t), config.Auth{Algorithm: "RS256", JWKSURL: p.URL})
	token := sign(t, jwt.SigningMethodRS256, signingtest.RSAKey(), change{"kid": "a"}, claimsWith(nil))
	a := i.call("GET", "/api/things", "", bearer(token))
	require.Equal(t, http.StatusServiceUnavailable, a.status, a.body)
	require.NotEmpty(t, a.header.Get("Retry-After"))
	key, _ := i.createKey(NewKey{Name: "still works", Scopes: []access.Scope{access.DevicesRead}})
	require.Equal(t, 200, i.call("GET", "/api/things", "", bearer(key)).status)
	i.requireRefused(i.call("GET", "/api/things", "", bearer("x.y.z")))
	require.NotZero(t, i.logs.FilterMessageSnippet("could not be fetched").Len())
}

func TestKeySet_FindsTheKeyThatCanBeMeant(t *testing.T) {
	t.Parallel()
	signer, other := signingtest.ECKey(t, elliptic.P256()), signingtest.ECKey(t, elliptic.P256())
	nameless := func(key *ecdsa.PrivateKey, more ...string) change {
		k := signingtest.JWK("", key, more...)
		delete(k, "kid")
		return k
	}
	db := pgtest.New(t)
	for name, test := range map[string]struct {
		keys   []map[string]any
		header change
		want   int
		logged string
	}{
		"both named":                      {[]map[string]any{signingtest.JWK("b", other), signingtest.JWK("a", signer)}, change{"kid": "a"}, 200, ""},
		"another key's name":              {[]map[string]any{signingtest.JWK("b", other), signingtest.JWK("a", signer)}, change{"kid": "b"}, 401, ""},
		"a name twice":                    {[]map[string]any{signingtest.JWK("a", other), signingtest.JWK("a", signer)}, change{"kid": "a"}, 200, ""},
		"a name twice, of other kinds":    {[]map[string]any{signingtest.JWK("a", signingtest.RSAKey()), signingtest.JWK("a", signer)}, change{"kid": "a"}, 200, ""},
		"no name in the token, one key":   {[]map[string]any{signingtest.JWK("a", signer)}, nil, 200, ""},
		"no name, one key that fits":      {[]map[string]any{signingtest.JWK("r", signingtest.RSAKey()), signingtest.JWK("e", other, "use", "enc"), signingtest.JWK("x", other, "alg", "ES512"), signingtest.JWK("a", signer)}, nil, 200, ""},
		"no name in the token, two keys":  {[]map[string]any{signingtest.JWK("b", other), signingtest.JWK("a", signer)}, nil, 401, "names no key"},
		"an empty name, one key":          {[]map[string]any{signingtest.JWK("a", signer)}, change{"kid": ""}, 200, ""},
		"no name on the only key":         {[]map[string]any{nameless(signer)}, change{"kid": "a"}, 200, ""},
		"no name on either":               {[]map[string]any{nameless(signer)}, nil, 200, ""},
		"no name on several keys":         {[]map[string]any{nameless(other), nameless(signer)}, change{"kid": "a"}, 401, "without a name"},
		"a name that the set has not got": {[]map[string]any{signingtest.JWK("b", signer)}, change{"kid": "a"}, 401, "none of the provider's"},
		"a name that is a number":         {[]map[string]any{nameless(signer)}, change{"kid": 7}, 401, "not a string"},
		"a name that is null":             {[]map[string]any{nameless(signer)}, change{"kid": nil}, 401, "not a string"},
		"the name in another case":        {[]map[string]any{signingtest.JWK("a", signer)}, change{"Kid": "a"}, 401, ""},
	} {
		i := newInstanceOn(t, db, config.Auth{Algorithm: "ES256", JWKSURL: signingtest.NewProvider(t, test.keys...).URL})
		a := i.call("GET", "/api/things", "", bearer(sign(t, jwt.SigningMethodES256, signer, test.header, claimsWith(nil))))
		require.Equal(t, test.want, a.status, "%s: %s", name, a.body)
		told := i.logs.FilterMessage("no key for a token").All()
		require.Equal(t, test.logged != "", len(told) == 1, name)
		if test.logged != "" {
			require.Contains(t, told[0].ContextMap()["error"], test.logged, name)
		}
	}
}
