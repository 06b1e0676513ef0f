package config

import (
	"crypto/ecdsa"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

// shortestSecrets is the least number of bytes of an HMAC secret: the size of its hash (RFC 7518, section 3.2).
var shortestSecrets = map[choice]int{"HS256": 32, "HS384": 48, "HS512": 64}

// curveBits is the size of the curve that each ECDSA algorithm is defined for (RFC 7518, section 3.4).
var curveBits = map[choice]int{"ES256": 256, "ES384": 384, "ES512": 521}

// shortestRSAKey is the least size of an RSA key in bits (RFC 7518, section 3.3).
const shortestRSAKey = 2048

func (l *loader) checkTokens() {
	if l.env.JWTJWKSURL != "" && !isWebURL(string(l.env.JWTJWKSURL)) {
		l.fault("JWT_JWKS_URL", "an http or https URL without user and password is allowed")
	}
	if !l.sound("JWT_ALGORITHM") {
		return
	}
	if shortest, ok := shortestSecrets[l.env.JWTAlgorithm]; ok {
		l.checkSharedKey(shortest)
		return
	}
	l.checkPublicKey()
}

// checkSharedKey checks what HS* algorithms need.
func (l *loader) checkSharedKey(shortest int) {
	length := len(l.env.JWTSecretKey)
	switch {
	case !l.sound("JWT_SECRET_KEY_FILE"):
	case length == 0 && l.env.DBHost != "":
		l.fault("JWT_SECRET_KEY", "needed with DB_HOST and %s: at least %d random bytes, such as those of openssl rand -base64 %d",
			l.env.JWTAlgorithm, shortest, shortest)
	case length > 0 && length < shortest:
		l.fault("JWT_SECRET_KEY", "it has %d bytes, and %s needs at least %d", length, l.env.JWTAlgorithm, shortest)
	}
	for _, name := range []string{"JWT_PUBLIC_KEY", "JWT_JWKS_URL"} {
		if l.value(name).String() != "" {
			l.fault(name, "%s does not use it; JWT_ALGORITHM must name the algorithm of the identity provider's keys",
				l.env.JWTAlgorithm)
		}
	}
}

// checkPublicKey checks what RS*, ES* and EdDSA need.
func (l *loader) checkPublicKey() {
	hasKey, hasURL := l.env.JWTPublicKey != "", l.env.JWTJWKSURL != ""
	switch {
	case hasKey && hasURL:
		l.fault("JWT_JWKS_URL", "JWT_PUBLIC_KEY is set too; only one of the two is allowed")
	case !hasKey && !hasURL && l.sound("JWT_PUBLIC_KEY_FILE"):
		l.fault("JWT_PUBLIC_KEY", "%s needs this or JWT_JWKS_URL", l.env.JWTAlgorithm)
	}
	if !hasKey {
		return
	}
	if err := checkPEM(l.env.JWTAlgorithm, []byte(unescapePEM(l.env.JWTPublicKey))); err != nil {
		l.fault("JWT_PUBLIC_KEY", "%v", err)
	}
}

// checkPEM returns why the PEM text does not hold a public key for the algorithm. Its errors do not repeat the text.
func checkPEM(algorithm choice, text []byte) error {
	block, _ := pem.Decode(text)
	if block == nil {
		return errors.New("a public key in PEM form (-----BEGIN PUBLIC KEY-----) is allowed")
	}
	if strings.Contains(block.Type, "PRIVATE KEY") {
		return errors.New("it is a private key; only the public key belongs here")
	}
	switch {
	case strings.HasPrefix(string(algorithm), "RS"):
		key, err := jwt.ParseRSAPublicKeyFromPEM(text)
		if err != nil {
			return fmt.Errorf("%s needs an RSA public key", algorithm)
		}
		if key.N.BitLen() < shortestRSAKey {
			return fmt.Errorf("the RSA key has %d bits, and at least %d are needed", key.N.BitLen(), shortestRSAKey)
		}
	case strings.HasPrefix(string(algorithm), "ES"):
		key, err := jwt.ParseECPublicKeyFromPEM(text)
		if err != nil || !fits(key, algorithm) {
			return fmt.Errorf("%s needs a public key on the curve P-%d", algorithm, curveBits[algorithm])
		}
	default:
		if _, err := jwt.ParseEdPublicKeyFromPEM(text); err != nil {
			return fmt.Errorf("%s needs an Ed25519 public key", algorithm)
		}
	}
	return nil
}

// fits reports whether the key is on the algorithm's curve.
func fits(key *ecdsa.PublicKey, algorithm choice) bool {
	return key.Curve.Params().BitSize == curveBits[algorithm]
}

// unescapePEM returns a PEM text whose line breaks may have been written as \n, so that it fits into one line.
func unescapePEM(text secret) string {
	return strings.ReplaceAll(string(text), `\n`, "\n")
}

// isWebURL reports whether the text is an absolute http or https URL that carries no credentials.
func isWebURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "" && u.User == nil
}
