package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"telltale/config"
	"telltale/platform/fault"
	"telltale/platform/postgres/pgtest"
)

// provider is an identity provider's JWKS endpoint.
type provider struct {
	*httptest.Server
	mu   sync.Mutex
	body string // "" answers 500
	hits int
}

func newProvider(t *testing.T, keys ...map[string]any) *provider {
	p := &provider{}
	p.serve(t, keys...)
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.hits++
		if p.body == "" {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		_, _ = w.Write([]byte(p.body))
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *provider) serve(t *testing.T, keys ...map[string]any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.body = ""; len(keys) > 0 {
		body, err := json.Marshal(map[string]any{"keys": keys})
		require.NoError(t, err)
		p.body = string(body)
	}
}

func (p *provider) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.hits
}

// jwk describes the public key as RFC 7517 does.
func jwk(id string, key crypto.Signer, more ...string) map[string]any {
	number := func(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
	var k map[string]any
	switch public := key.Public().(type) {
	case *rsa.PublicKey:
		k = map[string]any{"kty": "RSA", "n": number(public.N.Bytes()), "e": number(big.NewInt(int64(public.E)).Bytes())}
	case *ecdsa.PublicKey:
		point, err := public.Bytes() // 4, then x and y in equal parts
		if err != nil {
			panic(err)
		}
		half := (len(point) - 1) / 2
		k = map[string]any{
			"kty": "EC", "crv": public.Params().Name, "x": number(point[1 : 1+half]), "y": number(point[1+half:]),
		}
	case ed25519.PublicKey:
		k = map[string]any{"kty": "OKP", "crv": "Ed25519", "x": number(public)}
	}
	k["kid"] = id
	for n := 0; n < len(more); n += 2 {
		k[more[n]] = more[n+1]
	}
	return k
}

func ecKey(t *testing.T, curve elliptic.Curve) *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	require.NoError(t, err)
	return key
}

func TestKeysOfAProviderVerifyItsTokens(t *testing.T) {
	t.Parallel()
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	db := pgtest.New(t)
	for _, test := range []struct {
		method jwt.SigningMethod
		key    crypto.Signer
	}{
		{jwt.SigningMethodRS256, rsaKey()},
		{jwt.SigningMethodES256, ecKey(t, elliptic.P256())},
		{jwt.SigningMethodES384, ecKey(t, elliptic.P384())},
		{jwt.SigningMethodES512, ecKey(t, elliptic.P521())},
		{jwt.SigningMethodEdDSA, ed},
	} {
		alg := test.method.Alg()
		other := ecKey(t, elliptic.P224())
		oct := map[string]any{"kty": "oct", "kid": "oct", "k": segment(testSecret)}
		p := newProvider(t, jwk("other", other), oct, jwk("enc", test.key, "use", "enc"), jwk("sig", test.key, "use", "sig", "alg", alg))
		i := newInstanceOn(t, db, config.Auth{Algorithm: alg, JWKSURL: p.URL, Issuer: "https://idp.example"})
		call := func(method jwt.SigningMethod, key any, header map[string]any) int {
			return i.call("GET", "/api/things", "", bearer(sign(t, method, key, header, claimsWith(change{"iss": "https://idp.example"})))).status
		}
		require.Equal(t, 200, call(test.method, test.key, change{"kid": "sig"}), alg)
		require.Equal(t, 401, call(test.method, test.key, change{"kid": "enc"}), alg)
		require.Equal(t, 401, call(test.method, test.key, change{"kid": "nobody's"}), alg)
		require.Equal(t, 401, call(test.method, test.key, change{"kid": 7}), alg)
		require.Equal(t, 401, call(test.method, test.key, nil), alg)
		require.Equal(t, 401, call(jwt.SigningMethodHS256, []byte(testSecret), change{"kid": "oct"}), alg)
		require.Equal(t, 401, call(jwt.SigningMethodHS256, []byte(testSecret), change{"kid": "sig"}), alg)
		foreign := sign(t, test.method, test.key, change{"kid": "sig"}, claimsWith(change{"iss": "https://evil.example"}))
		require.Equal(t, 401, i.call("GET", "/api/things", "", bearer(foreign)).status, alg)
		require.Equal(t, 1, p.count(), "unknown keys must not each cause a fetch")
	}
}

func TestAKeyThatDoesNotFitTheAlgorithmIsNotUsed(t *testing.T) {
	t.Parallel()
	key := ecKey(t, elliptic.P384())
	p := newProvider(t, jwk("a", key))
	i := newInstanceOn(t, pgtest.New(t), config.Auth{Algorithm: "ES256", JWKSURL: p.URL})
	i.requireRefused(i.call("GET", "/api/things", "", bearer(sign(t, jwt.SigningMethodES384, key, change{"kid": "a"}, claimsWith(nil)))))
	unsigned := segment(`{"alg":"ES256","kid":"a"}`) + "." + segment(claimsWith(nil))
	i.requireRefused(i.call("GET", "/api/things", "", bearer(unsigned+"."+segment(strings.Repeat("x", 64)))))
}

func TestAnUnreachableProviderDelaysTokensAndNothingElse(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	i := newInstanceOn(t, pgtest.New(t), config.Auth{Algorithm: "RS256", JWKSURL: p.URL})
	token := sign(t, jwt.SigningMethodRS256, rsaKey(), change{"kid": "a"}, claimsWith(nil))
	a := i.call("GET", "/api/things", "", bearer(token))
	require.Equal(t, http.StatusServiceUnavailable, a.status, a.body)
	require.NotEmpty(t, a.header.Get("Retry-After"))
	key, _ := i.createKey(NewKey{Name: "still works", Scopes: []Scope{DevicesRead}})
	require.Equal(t, 200, i.call("GET", "/api/things", "", bearer(key)).status)
	i.requireRefused(i.call("GET", "/api/things", "", bearer("x.y.z")))
	require.NotZero(t, i.logs.FilterMessageSnippet("could not be fetched").Len())
}

func TestKeysAreFetchedAgainForATokenOfANewOne(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	k := NewKeySet(p.URL, "RS256", zap.NewNop())
	k.retry = 0 // so that no pause keeps the second fetch waiting
	fresh := newFetches(k)
	require.NoError(t, k.Start(t.Context()))
	defer func() { require.NoError(t, k.Stop(t.Context())) }()
	<-fresh

	old, renewed := &jwt.Token{Method: jwt.SigningMethodRS256, Header: change{"kid": "old", "alg": "RS256"}}, &jwt.Token{Header: change{"kid": "new", "alg": "RS256"}}
	p.serve(t, jwk("old", rsaKey()))
	require.Eventually(t, func() bool { _, err := k.find(old); return err == nil }, time.Minute, time.Millisecond)
	p.serve(t, jwk("new", rsaKey()))
	require.Eventually(t, func() bool { _, err := k.find(renewed); return err == nil }, time.Minute, time.Millisecond)
	p.serve(t) // the provider is down: what is known stays
	_, err := k.find(renewed)
	require.NoError(t, err)
	_, err = k.find(old)
	require.Error(t, err)
	require.NotEqual(t, fault.Unavailable, fault.KindOf(err))
}

// newFetches returns a channel that is closed by the first fetch.
func newFetches(k *KeySet) <-chan struct{} {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.fetched
}

func TestKeySetsThatAreNoneAreRefused(t *testing.T) {
	t.Parallel()
	for _, body := range []string{``, `[]`, `{}`, `{"keys":[]}`, `{"keys":[{"kty":"oct","k":"AAAA"}]}`, `{"keys":[7]}`, `<html>`} {
		_, err := parseKeySet([]byte(body))
		require.Error(t, err, body)
	}
}

func TestAKeySetStartsAndStopsAtAnyTime(t *testing.T) {
	t.Parallel()
	p := newProvider(t, jwk("a", rsaKey()))
	for range 20 {
		k := NewKeySet(p.URL, "RS256", zap.NewNop())
		require.NoError(t, k.Start(t.Context()))
		require.NoError(t, k.Stop(t.Context()))
	}
	idle := NewKeySet("", "HS256", zap.NewNop())
	require.NoError(t, idle.Start(t.Context()))
	require.NoError(t, idle.Stop(t.Context()))
}
