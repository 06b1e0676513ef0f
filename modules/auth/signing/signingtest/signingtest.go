// Package signingtest provides keys for tests, and an identity provider that lists them: a JWKS endpoint whose keys a test can
// change or remove.
//
// It is for tests alone. It signs nothing (the JWT library does) and reads no key set (package signing does).
package signingtest

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
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// Provider is an identity provider's JWKS endpoint.
type Provider struct {
	*httptest.Server
	mu   sync.Mutex
	body string // "" answers 500
	hits int
}

// NewProvider returns an endpoint that lists the keys, until the test ends.
func NewProvider(t *testing.T, keys ...map[string]any) *Provider {
	p := &Provider{}
	p.Serve(t, keys...)
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

// Serve has the endpoint list these keys from now on; none has it answer 500.
func (p *Provider) Serve(t *testing.T, keys ...map[string]any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.body = ""; len(keys) > 0 {
		body, err := json.Marshal(map[string]any{"keys": keys})
		require.NoError(t, err)
		p.body = string(body)
	}
}

// Count returns how often the keys have been fetched.
func (p *Provider) Count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.hits
}

// JWK describes the public key as RFC 7517 does.
func JWK(id string, key crypto.Signer, more ...string) map[string]any {
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

// ECKey returns a new key on the curve.
func ECKey(t *testing.T, curve elliptic.Curve) *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	require.NoError(t, err)
	return key
}

// RSAKey returns a key that is made once.
var RSAKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})
