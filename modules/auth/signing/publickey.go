package signing

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

// The least size of an RSA key that RFC 7518 allows, and the largest whose signatures are worth the time to verify.
const (
	minRSABits = 2048
	maxRSABits = 16384
)

// FixedKey is the one configured public key.
type FixedKey struct{ key any }

// Find returns the key, whatever the token names.
func (k FixedKey) Find(*jwt.Token) (any, error) { return k.key, nil }

// ParsePublicKey reads a public key or certificate in PEM and checks that the algorithm can use it.
func ParsePublicKey(algorithm, text string) (FixedKey, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return FixedKey{}, errors.New("the public key for tokens is not in PEM format")
	}
	key, err := parsePublicBlock(block)
	if err != nil {
		return FixedKey{}, fmt.Errorf("read the public key for tokens: %w", err)
	}
	if err := errors.Join(sound(key), fits(algorithm, key)); err != nil {
		return FixedKey{}, fmt.Errorf("read the public key for tokens: %w", err)
	}
	return FixedKey{key}, nil
}

func parsePublicBlock(block *pem.Block) (any, error) {
	switch block.Type {
	case "CERTIFICATE":
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		return certificate.PublicKey, nil
	case "RSA PUBLIC KEY":
		return x509.ParsePKCS1PublicKey(block.Bytes)
	case "PUBLIC KEY":
		return x509.ParsePKIXPublicKey(block.Bytes)
	}
	return nil, fmt.Errorf("it is a %q, not a PUBLIC KEY or CERTIFICATE", block.Type)
}

// sound returns an error when a key that was sent from outside is none that could have been made.
func sound(key any) (err error) {
	switch key := key.(type) {
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); bits < minRSABits || bits > maxRSABits {
			err = fmt.Errorf("the RSA key has %d bits; from %d to %d are accepted", bits, minRSABits, maxRSABits)
		}
	case *ecdsa.PublicKey:
		_, err = key.ECDH() // it checks that the point is on the curve
	case ed25519.PublicKey:
		if len(key) != ed25519.PublicKeySize {
			err = fmt.Errorf("the Ed25519 key has %d bytes instead of %d", len(key), ed25519.PublicKeySize)
		}
	}
	return err
}

// fits returns an error unless the key is one for the algorithm. The JWT library itself does not hold an elliptic curve
// against the algorithm.
func fits(algorithm string, key any) error {
	switch key := key.(type) {
	case *rsa.PublicKey:
		if !strings.HasPrefix(algorithm, "RS") && !strings.HasPrefix(algorithm, "PS") {
			break
		}
		return nil
	case *ecdsa.PublicKey:
		if curve := map[string]string{"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}[algorithm]; curve == key.Params().Name {
			return nil
		}
	case ed25519.PublicKey:
		if algorithm == "EdDSA" {
			return nil
		}
	}
	return fmt.Errorf("the key, a %T, does not fit the algorithm %s", key, algorithm)
}
