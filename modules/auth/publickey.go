package auth

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

// minRSABits is the least that RFC 7518 allows.
const minRSABits = 2048

// fixedKey is the one configured public key.
type fixedKey struct{ key any }

func (k fixedKey) find(*jwt.Token) (any, error) { return k.key, nil }

// parsePublicKey reads a public key or certificate in PEM and checks that the algorithm can use it.
func parsePublicKey(algorithm, text string) (any, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("the public key for tokens is not in PEM format")
	}
	key, err := parsePublicBlock(block)
	if err != nil {
		return nil, fmt.Errorf("read the public key for tokens: %w", err)
	}
	if err := fits(algorithm, key); err != nil {
		return nil, fmt.Errorf("read the public key for tokens: %w", err)
	}
	return key, nil
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

// fits returns an error unless the key is one for the algorithm. The JWT library itself does not hold an elliptic curve
// against the algorithm, nor a length against what is safe.
func fits(algorithm string, key any) error {
	switch key := key.(type) {
	case *rsa.PublicKey:
		if !strings.HasPrefix(algorithm, "RS") && !strings.HasPrefix(algorithm, "PS") {
			break
		}
		if key.N.BitLen() < minRSABits {
			return fmt.Errorf("the RSA key has fewer than %d bits", minRSABits)
		}
		return nil
	case *ecdsa.PublicKey:
		if curve := map[string]string{"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}[algorithm]; curve == key.Params().Name {
			return nil
		}
	case ed25519.PublicKey:
		if algorithm == "EdDSA" && len(key) == ed25519.PublicKeySize {
			return nil
		}
	}
	return fmt.Errorf("the key, a %T, does not fit the algorithm %s", key, algorithm)
}
