package tokens

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"telltale/config"
	"telltale/modules/auth/access"
	"telltale/modules/auth/signing/signingtest"
)

func publicPEM(t *testing.T, key crypto.Signer) string {
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// sign makes a token of the claims, in JSON.
func sign(t *testing.T, method jwt.SigningMethod, key any, header map[string]any, claims string) string {
	head := map[string]any{"typ": "JWT", "alg": method.Alg()}
	for name, value := range header {
		head[name] = value
	}
	text, err := json.Marshal(head)
	require.NoError(t, err)
	unsigned := segment(string(text)) + "." + segment(claims)
	signature, err := method.Sign(unsigned, key)
	require.NoError(t, err)
	return unsigned + "." + segment(string(signature))
}

func segment(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// claimsWith returns good claims, changed: a nil value takes a claim out.
func claimsWith(changes map[string]any) string {
	c := map[string]any{"sub": "anna", "exp": time.Now().Add(time.Hour).Unix(), "scope": "devices:read"}
	for name, value := range changes {
		if c[name] = value; value == nil {
			delete(c, name)
		}
	}
	text, err := json.Marshal(c)
	if err != nil {
		panic(err)
	}
	return string(text)
}

type change = map[string]any

func TestTokens_ATokenSignedWithTheSecretIsAccepted(t *testing.T) {
	t.Parallel()
	s := newService(t)
	for name, claims := range map[string]string{
		"plain":             claimsWith(nil),
		"own issuer":        claimsWith(change{"iss": "telltale"}),
		"scope array":       claimsWith(change{"scope": []string{"devices:read", "openid"}}),
		"foreign scopes":    claimsWith(change{"scope": "openid devices:read profile"}),
		"admin":             claimsWith(change{"scope": "admin"}),
		"not before now":    claimsWith(change{"nbf": time.Now().Add(-time.Minute).Unix()}),
		"devices":           claimsWith(change{"devices": []string{"lab-*"}}),
		"fractional expiry": claimsWith(change{"exp": float64(time.Now().Add(time.Hour).Unix()) + 0.5}),
	} {
		p, err := s.verify(sign(t, jwt.SigningMethodHS256, []byte(testSecret), nil, claims))
		require.NoError(t, err, name)
		require.Equal(t, "anna", p.Subject)
		require.True(t, p.Can(access.DevicesRead), name)
		require.False(t, p.IsUser())
	}
}

func TestTokens_ForgedAndBrokenTokensAreRefused(t *testing.T) {
	t.Parallel()
	s := newService(t)
	hs := func(changes change) string {
		return sign(t, jwt.SigningMethodHS256, []byte(testSecret), nil, claimsWith(changes))
	}
	good := hs(nil)
	parts := strings.Split(good, ".")
	flipped := []byte(good)
	flipped[len(flipped)-2] ^= 1
	tokens := map[string]string{
		"alg none":              segment(`{"alg":"none"}`) + "." + parts[1] + ".",
		"alg None":              segment(`{"alg":"None"}`) + "." + parts[1] + ".",
		"alg none, signature":   segment(`{"alg":"none"}`) + "." + parts[1] + "." + parts[2],
		"alg empty":             segment(`{"alg":""}`) + "." + parts[1] + "." + parts[2],
		"alg absent":            segment(`{"typ":"JWT"}`) + "." + parts[1] + "." + parts[2],
		"alg a number":          segment(`{"alg":256}`) + "." + parts[1] + "." + parts[2],
		"alg of another case":   segment(`{"alg":"hs256"}`) + "." + parts[1] + "." + parts[2],
		"header null":           segment(`null`) + "." + parts[1] + "." + parts[2],
		"other HMAC, same key":  sign(t, jwt.SigningMethodHS512, []byte(testSecret), nil, claimsWith(nil)),
		"RS256":                 sign(t, jwt.SigningMethodRS256, signingtest.RSAKey(), nil, claimsWith(nil)),
		"critical extension":    sign(t, jwt.SigningMethodHS256, []byte(testSecret), change{"crit": []string{"exp"}}, claimsWith(nil)),
		"other key":             sign(t, jwt.SigningMethodHS256, []byte(testSecret+"!"), nil, claimsWith(nil)),
		"empty key":             sign(t, jwt.SigningMethodHS256, []byte{}, nil, claimsWith(nil)),
		"changed signature":     string(flipped),
		"no signature":          parts[0] + "." + parts[1] + ".",
		"two parts":             parts[0] + "." + parts[1],
		"four parts":            good + "." + parts[2],
		"truncated":             good[:len(good)-10],
		"other claims":          parts[0] + "." + segment(claimsWith(change{"scope": "admin"})) + "." + parts[2],
		"expired":               hs(change{"exp": time.Now().Add(-time.Second).Unix()}),
		"expired long ago":      hs(change{"exp": 0}),
		"no expiry":             hs(change{"exp": nil}),
		"expiry null":           sign(t, jwt.SigningMethodHS256, []byte(testSecret), nil, `{"sub":"anna","exp":null}`),
		"expiry a string":       hs(change{"exp": "2099-01-01"}),
		"expiry beyond time":    hs(change{"exp": 1e300}),
		"expiry out of years":   hs(change{"exp": 1e12}),
		"expiry negative":       hs(change{"exp": -1e300}),
		"not valid yet":         hs(change{"nbf": time.Now().Add(time.Hour).Unix()}),
		"foreign issuer":        hs(change{"iss": "https://elsewhere.example"}),
		"no subject":            hs(change{"sub": nil}),
		"empty subject":         hs(change{"sub": ""}),
		"subject a number":      hs(change{"sub": 7}),
		"endless subject":       hs(change{"sub": strings.Repeat("a", 300)}),
		"scope a number":        hs(change{"scope": 7}),
		"scope an object":       hs(change{"scope": change{"admin": true}}),
		"scope null":            sign(t, jwt.SigningMethodHS256, []byte(testSecret), nil, strings.Replace(claimsWith(change{"scope": ""}), `""`, "null", 1)),
		"scope of numbers":      hs(change{"scope": []any{"devices:read", 1}}),
		"devices null":          sign(t, jwt.SigningMethodHS256, []byte(testSecret), nil, strings.Replace(claimsWith(change{"devices": "?"}), `"?"`, "null", 1)),
		"devices a string":      hs(change{"devices": "*"}),
		"devices an object":     hs(change{"devices": change{}}),
		"devices of numbers":    hs(change{"devices": []any{1}}),
		"devices with null":     hs(change{"devices": []any{"a", nil}}),
		"devices, bad pattern":  hs(change{"devices": []any{"[a"}}),
		"devices with too many": hs(change{"devices": make([]string, access.MaxPatterns+1)}),
		"claims null":           sign(t, jwt.SigningMethodHS256, []byte(testSecret), nil, `null`),
		"claims an array":       sign(t, jwt.SigningMethodHS256, []byte(testSecret), nil, `[]`),
		"claims not JSON":       sign(t, jwt.SigningMethodHS256, []byte(testSecret), nil, `{"sub"`),
		"dots":                  "..",
		"not base64":            "a!.b!.c!",
		"a word":                "token",
		"one letter":            "x",
	}
	for name, token := range tokens {
		require.False(t, s.accepts(t, token), name)
	}
}

func TestTokens_AConfiguredIssuerIsTheOnlyOne(t *testing.T) {
	t.Parallel()
	s := newServiceOf(t, config.Auth{Algorithm: "HS384", SecretKey: testSecret, Issuer: "acme"})
	for issuer, accepted := range map[any]bool{"acme": true, "telltale": false, "acme2": false, "": false, nil: false} {
		token := sign(t, jwt.SigningMethodHS384, []byte(testSecret), nil, claimsWith(change{"iss": issuer}))
		require.Equal(t, accepted, s.accepts(t, token), issuer)
	}
	own, _, err := s.Issue("admin", "a fingerprint", []access.Scope{access.Admin})
	require.NoError(t, err)
	require.True(t, s.accepts(t, own))
}

func TestTokens_PublicKeysVerifyTheirAlgorithmAlone(t *testing.T) {
	t.Parallel()
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	for _, test := range []struct {
		method jwt.SigningMethod
		key    crypto.Signer
		wrong  jwt.SigningMethod // another method of the same key
	}{
		{jwt.SigningMethodRS256, signingtest.RSAKey(), jwt.SigningMethodRS384},
		{jwt.SigningMethodRS512, signingtest.RSAKey(), jwt.SigningMethodPS512},
		{jwt.SigningMethodES256, ec, nil},
		{jwt.SigningMethodEdDSA, ed, nil},
	} {
		text := publicPEM(t, test.key)
		s := newServiceOf(t, config.Auth{Algorithm: test.method.Alg(), PublicKey: text})
		require.False(t, s.Issues())
		good := sign(t, test.method, test.key, nil, claimsWith(change{"iss": "https://idp.example", "acct": "ignored"}))
		p, err := s.verify(good)
		require.NoError(t, err, test.method.Alg())
		require.False(t, p.IsUser(), "no user of another issuer is one of Telltale's")
		require.False(t, s.accepts(t, sign(t, test.method, test.key, nil, claimsWith(change{"exp": 1}))))
		if test.wrong != nil {
			require.False(t, s.accepts(t, sign(t, test.wrong, test.key, nil, claimsWith(nil))))
		}
		// The public key, in any form that a careless verifier might take for a secret.
		block, _ := pem.Decode([]byte(text))
		for _, secret := range [][]byte{[]byte(text), []byte(strings.TrimSpace(text)), block.Bytes, {}} {
			for _, name := range []string{"HS256", test.method.Alg()} {
				unsigned := segment(`{"alg":"`+name+`"}`) + "." + segment(claimsWith(change{"scope": "admin"}))
				mac := hmac.New(sha256.New, secret)
				mac.Write([]byte(unsigned))
				require.False(t, s.accepts(t, unsigned+"."+segment(string(mac.Sum(nil)))))
			}
		}
		require.False(t, s.accepts(t, segment(`{"alg":"none"}`)+"."+segment(claimsWith(nil))+"."))
	}
}

func TestTokens_PublicKeysThatDoNotFitAreRefusedAtOnce(t *testing.T) {
	t.Parallel()
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(p384)
	require.NoError(t, err)
	for name, cfg := range map[string]config.Auth{
		"no key at all":    {Algorithm: "RS256"},
		"unknown":          {Algorithm: "XX"},
		"no PEM":           {Algorithm: "RS256", PublicKey: "hello"},
		"short RSA":        {Algorithm: "RS256", PublicKey: publicPEM(t, small)},
		"another kind":     {Algorithm: "RS256", PublicKey: publicPEM(t, p384)},
		"another curve":    {Algorithm: "ES256", PublicKey: publicPEM(t, p384)},
		"RSA for EdDSA":    {Algorithm: "EdDSA", PublicKey: publicPEM(t, signingtest.RSAKey())},
		"a private key":    {Algorithm: "ES384", PublicKey: string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))},
		"a damaged key":    {Algorithm: "RS256", PublicKey: "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"},
		"a damaged cert":   {Algorithm: "RS256", PublicKey: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"},
		"a damaged PKCS#1": {Algorithm: "RS256", PublicKey: "-----BEGIN RSA PUBLIC KEY-----\nAAAA\n-----END RSA PUBLIC KEY-----\n"},
	} {
		_, err := New(cfg, nil, nil, time.Now, zap.NewNop())
		require.Error(t, err, name)
	}
	pkcs1 := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(&signingtest.RSAKey().PublicKey)}))
	_, err = New(config.Auth{Algorithm: "RS256", PublicKey: pkcs1}, nil, nil, time.Now, zap.NewNop())
	require.NoError(t, err)
}
