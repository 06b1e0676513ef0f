package signing

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"telltale/modules/auth/signing/signingtest"
	"telltale/platform/fault"
)

// brokenKeys are entries of a key set that are no usable RS256 key.
func brokenKeys() map[string]string {
	long := strings.Repeat("A", 4096)
	return map[string]string{
		"null": `null`, "a number": `7`, "a string": `"x"`, "an array": `[]`, "empty": `{}`, "true": `true`,
		"symmetric": `{"kty":"oct","k":"AAAA"}`, "no modulus": `{"kty":"RSA","e":"AQAB"}`, "null modulus": `{"kty":"RSA","n":null,"e":"AQAB"}`,
		"no exponent": `{"kty":"RSA","n":"AQAB"}`, "not base64": `{"kty":"RSA","n":"!","e":"?"}`, "short": `{"kty":"RSA","n":"AQAB","e":"AQAB"}`,
		"huge": `{"kty":"RSA","n":"` + long + `","e":"AQAB"}`, "kid a number": `{"kty":"RSA","kid":7,"n":"AQAB","e":"AQAB"}`,
		"EC, nothing else": `{"kty":"EC"}`, "EC off the curve": `{"kty":"EC","crv":"P-256","x":"AQ","y":"AQ"}`,
		"EC at nought": `{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}`, "EC, no such curve": `{"kty":"EC","crv":"P-1","x":"AQ","y":"AQ"}`,
		"EC out of range": `{"kty":"EC","crv":"P-256","x":"` + long + `","y":"` + long + `"}`,
		"OKP, short":      `{"kty":"OKP","crv":"Ed25519","x":"AQ"}`, "OKP, null": `{"kty":"OKP","crv":null,"x":null}`,
		"a kind of tomorrow": `{"kty":"AKP","pub":"AAAA"}`, "for encryption": `{"kty":"RSA","use":"enc","n":"AQAB","e":"AQAB"}`,
		"members null": `{"kty":null,"kid":null,"use":null,"alg":null}`, "deep": strings.Repeat("[", 5000) + strings.Repeat("]", 5000),
	}
}

func TestKeySet_LeavesOutWhatIsNoKey(t *testing.T) {
	t.Parallel()
	good, err := json.Marshal(signingtest.JWK("good", signingtest.RSAKey()))
	require.NoError(t, err)
	for _, algorithm := range []string{"RS256", "ES256", "EdDSA"} {
		for name, broken := range brokenKeys() {
			_, _, err := parseKeySet(algorithm, []byte(`{"keys":[`+broken+`]}`))
			require.Error(t, err, name)
		}
	}
	keys, leftOut, err := parseKeySet("ES256", []byte(`{"keys":[`+string(good)+`,null]}`))
	require.NoError(t, err, "a provider whose keys are for other algorithms is no failing one")
	require.Empty(t, keys)
	require.NotNil(t, keys)
	require.Len(t, leftOut, 2)
	for name, broken := range brokenKeys() {
		keys, leftOut, err := parseKeySet("RS256", []byte(`{"keys":[`+broken+`,`+string(good)+`,`+broken+`]}`))
		require.NoError(t, err, name)
		require.Len(t, keys, 1, name)
		require.Equal(t, "good", keys[0].id)
		require.Len(t, leftOut, 2, name)
	}
	for _, body := range []string{``, `null`, `[]`, `{}`, `{"keys":[]}`, `{"keys":null}`, `{"keys":{}}`, `{"keys":7}`, `<html>`, `{"keys":[`} {
		_, _, err := parseKeySet("RS256", []byte(body))
		require.Error(t, err, body)
	}
	many := strings.Repeat(string(good)+",", 10*maxKeys) + strings.Repeat("null,", 10*maxLeftOut) + "null"
	keys, leftOut, err = parseKeySet("RS256", []byte(`{"keys":[`+many+`]}`))
	require.NoError(t, err)
	require.Len(t, keys, maxKeys)
	require.Len(t, leftOut, maxLeftOut)
}

func FuzzKeySet_IsReadOrRefused(f *testing.F) {
	for _, broken := range brokenKeys() {
		f.Add([]byte(`{"keys":[` + broken + `]}`))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, algorithm := range []string{"RS256", "ES384", "EdDSA"} {
			keys, _, err := parseKeySet(algorithm, body)
			require.Equal(t, err == nil, keys != nil)
		}
	})
}

// A provider whose set is broken, at start or later, costs no more than what is broken of it.
func TestKeySet_OutlivesWhatItsProviderSends(t *testing.T) {
	t.Parallel()
	var body atomic.Value
	body.Store(`{"keys":[null]}`)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body.Load().(string))) }))
	t.Cleanup(server.Close)
	core, logs := observer.New(zap.InfoLevel)
	k := NewKeySet(server.URL, "RS256", zap.New(core))
	k.Retry = 0
	require.NoError(t, k.Start(t.Context()))
	defer func() { require.NoError(t, k.Stop(t.Context())) }()
	token := &jwt.Token{Method: jwt.SigningMethodRS256, Header: map[string]any{"kid": "a", "alg": "RS256"}}
	require.Eventually(t, func() bool { return logs.FilterMessageSnippet("could not be fetched").Len() > 0 }, time.Minute, time.Millisecond)
	set, err := json.Marshal(map[string]any{"keys": []any{nil, signingtest.JWK("a", signingtest.RSAKey()), 7}})
	require.NoError(t, err)
	body.Store(string(set))
	require.Eventually(t, func() bool { _, err := k.Find(token); return err == nil }, time.Minute, time.Millisecond)
	require.Equal(t, 1, logs.FilterMessageSnippet("are not used").Len())
	for _, broken := range brokenKeys() {
		body.Store(`{"keys":[` + broken + `]}`)
		_, err := k.Find(&jwt.Token{Header: map[string]any{"kid": "b", "alg": "RS256"}})
		require.Error(t, err)
		_, err = k.Find(token)
		require.NoError(t, err, "the last good keys stay")
	}
}

func TestKeySet_IsFetchedAgainForATokenOfANewKey(t *testing.T) {
	t.Parallel()
	p := signingtest.NewProvider(t)
	k := NewKeySet(p.URL, "RS256", zap.NewNop())
	k.Retry = 0 // so that no pause keeps the second fetch waiting
	fresh := newFetches(k)
	require.NoError(t, k.Start(t.Context()))
	defer func() { require.NoError(t, k.Stop(t.Context())) }()
	<-fresh

	old, renewed := &jwt.Token{Method: jwt.SigningMethodRS256, Header: map[string]any{"kid": "old", "alg": "RS256"}}, &jwt.Token{Header: map[string]any{"kid": "new", "alg": "RS256"}}
	p.Serve(t, signingtest.JWK("old", signingtest.RSAKey()))
	require.Eventually(t, func() bool { _, err := k.Find(old); return err == nil }, time.Minute, time.Millisecond)
	p.Serve(t, signingtest.JWK("new", signingtest.RSAKey()))
	require.Eventually(t, func() bool { _, err := k.Find(renewed); return err == nil }, time.Minute, time.Millisecond)
	p.Serve(t) // the provider is down: what is known stays
	_, err := k.Find(renewed)
	require.NoError(t, err)
	_, err = k.Find(old)
	require.Error(t, err)
	require.NotEqual(t, fault.Unavailable, fault.KindOf(err))
}

// newFetches returns a channel that is closed by the first fetch.
func newFetches(k *KeySet) <-chan struct{} {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.fetched
}

func TestKeySet_StartsAndStopsAtAnyTime(t *testing.T) {
	t.Parallel()
	p := signingtest.NewProvider(t, signingtest.JWK("a", signingtest.RSAKey()))
	for range 20 {
		k := NewKeySet(p.URL, "RS256", zap.NewNop())
		require.NoError(t, k.Start(t.Context()))
		require.NoError(t, k.Stop(t.Context()))
	}
	idle := NewKeySet("", "HS256", zap.NewNop())
	require.NoError(t, idle.Start(t.Context()))
	require.NoError(t, idle.Stop(t.Context()))
}
