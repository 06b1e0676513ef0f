package tokens

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"telltale/config"
	"telltale/modules/auth/signing/signingtest"
	"telltale/platform/fault"
)

func TestKeySet_VerifiesTheTokensOfItsProvider(t *testing.T) {
	t.Parallel()
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
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
		s := newServiceOf(t, config.Auth{Algorithm: alg, JWKSURL: p.URL, Issuer: "https://idp.example"})
		accepted := func(method jwt.SigningMethod, key any, header map[string]any) bool {
			return s.accepts(t, sign(t, method, key, header, claimsWith(change{"iss": "https://idp.example"})))
		}
		require.True(t, accepted(test.method, test.key, change{"kid": "sig"}), alg)
		require.False(t, accepted(test.method, test.key, change{"kid": "enc"}), alg)
		require.False(t, accepted(test.method, test.key, change{"kid": "nobody's"}), alg)
		require.False(t, accepted(test.method, test.key, change{"kid": 7}), alg)
		require.True(t, accepted(test.method, test.key, nil), "the only key that fits needs no name")
		require.False(t, accepted(jwt.SigningMethodHS256, []byte(testSecret), change{"kid": "oct"}), alg)
		require.False(t, accepted(jwt.SigningMethodHS256, []byte(testSecret), change{"kid": "sig"}), alg)
		foreign := sign(t, test.method, test.key, change{"kid": "sig"}, claimsWith(change{"iss": "https://evil.example"}))
		require.False(t, s.accepts(t, foreign), alg)
		require.Equal(t, 1, p.Count(), "unknown keys must not each cause a fetch")
	}
}

func TestKeySet_AKeyThatDoesNotFitTheAlgorithmIsNotUsed(t *testing.T) {
	t.Parallel()
	key := signingtest.ECKey(t, elliptic.P384())
	p := signingtest.NewProvider(t, signingtest.JWK("a", key))
	s := newServiceOf(t, config.Auth{Algorithm: "ES256", JWKSURL: p.URL})
	require.False(t, s.accepts(t, sign(t, jwt.SigningMethodES384, key, change{"kid": "a"}, claimsWith(nil))))
	unsigned := segment(`{"alg":"ES256","kid":"a"}`) + "." + segment(claimsWith(nil))
	require.False(t, s.accepts(t, unsigned+"."+segment(strings.Repeat("x", 64))))
}

func TestKeySet_OfAnUnreachableProviderDelaysTokens(t *testing.T) {
	t.Parallel()
	p := signingtest.NewProvider(t)
	s := newServiceOf(t, config.Auth{Algorithm: "RS256", JWKSURL: p.URL})
	token := sign(t, jwt.SigningMethodRS256, signingtest.RSAKey(), change{"kid": "a"}, claimsWith(nil))
	_, err := s.verify(token)
	require.Equal(t, fault.Unavailable, fault.KindOf(err), err)
	require.False(t, s.accepts(t, "x.y.z"))
	require.NotZero(t, s.logs.FilterMessageSnippet("could not be fetched").Len())
}

func TestKeySet_FindsTheKeyThatCanBeMeant(t *testing.T) {
	t.Parallel()
	signer, other := signingtest.ECKey(t, elliptic.P256()), signingtest.ECKey(t, elliptic.P256())
	nameless := func(key *ecdsa.PrivateKey, more ...string) change {
		k := signingtest.JWK("", key, more...)
		delete(k, "kid")
		return k
	}
	for name, test := range map[string]struct {
		keys   []map[string]any
		header change
		want   bool
		logged string
	}{
		"both named":                      {[]map[string]any{signingtest.JWK("b", other), signingtest.JWK("a", signer)}, change{"kid": "a"}, true, ""},
		"another key's name":              {[]map[string]any{signingtest.JWK("b", other), signingtest.JWK("a", signer)}, change{"kid": "b"}, false, ""},
		"a name twice":                    {[]map[string]any{signingtest.JWK("a", other), signingtest.JWK("a", signer)}, change{"kid": "a"}, true, ""},
		"a name twice, of other kinds":    {[]map[string]any{signingtest.JWK("a", signingtest.RSAKey()), signingtest.JWK("a", signer)}, change{"kid": "a"}, true, ""},
		"no name in the token, one key":   {[]map[string]any{signingtest.JWK("a", signer)}, nil, true, ""},
		"no name, one key that fits":      {[]map[string]any{signingtest.JWK("r", signingtest.RSAKey()), signingtest.JWK("e", other, "use", "enc"), signingtest.JWK("x", other, "alg", "ES512"), signingtest.JWK("a", signer)}, nil, true, ""},
		"no name in the token, two keys":  {[]map[string]any{signingtest.JWK("b", other), signingtest.JWK("a", signer)}, nil, false, "names no key"},
		"an empty name, one key":          {[]map[string]any{signingtest.JWK("a", signer)}, change{"kid": ""}, true, ""},
		"no name on the only key":         {[]map[string]any{nameless(signer)}, change{"kid": "a"}, true, ""},
		"no name on either":               {[]map[string]any{nameless(signer)}, nil, true, ""},
		"no name on several keys":         {[]map[string]any{nameless(other), nameless(signer)}, change{"kid": "a"}, false, "without a name"},
		"a name that the set has not got": {[]map[string]any{signingtest.JWK("b", signer)}, change{"kid": "a"}, false, "none of the provider's"},
		"a name that is a number":         {[]map[string]any{nameless(signer)}, change{"kid": 7}, false, "not a string"},
		"a name that is null":             {[]map[string]any{nameless(signer)}, change{"kid": nil}, false, "not a string"},
		"the name in another case":        {[]map[string]any{signingtest.JWK("a", signer)}, change{"Kid": "a"}, false, ""},
	} {
		s := newServiceOf(t, config.Auth{Algorithm: "ES256", JWKSURL: signingtest.NewProvider(t, test.keys...).URL})
		require.Equal(t, test.want, s.accepts(t, sign(t, jwt.SigningMethodES256, signer, test.header, claimsWith(nil))), name)
		told := s.logs.FilterMessage("no key for a token").All()
		require.Equal(t, test.logged != "", len(told) == 1, name)
		if test.logged != "" {
			require.Contains(t, told[0].ContextMap()["error"], test.logged, name)
		}
	}
}
