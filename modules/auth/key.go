package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"math/big"
	"strings"
	"time"
)

// APIKey is a revocable credential for a program or a device. Of its secret only a hash is kept.
type APIKey struct {
	// ID is the public part of the key.
	ID     string
	Name   string
	Scopes []Scope
	// Devices narrows what the key may see or touch, as in Principal.
	Devices   []string
	CreatedBy string
	CreatedAt time.Time
	// ExpiresAt and RevokedAt are nil for a key that never expires and one that has not been revoked.
	ExpiresAt *time.Time
	RevokedAt *time.Time
}

// NewKey is what an administrator decides about a key to be made.
type NewKey struct {
	Name      string
	Scopes    []Scope
	Devices   []string
	ExpiresAt *time.Time
}

// keyRecord is a key as a request's credentials are checked against it.
type keyRecord struct {
	APIKey
	secretHash []byte // SHA-256 of the secret's text
}

// A key reads tt_<id>_<secret>: the id is 80 random bits in base32, the secret 256 in base62. Neither has an underscore.
const (
	keyPrefix       = "tt_"
	keyIDLength     = 16
	keySecretLength = 43
)

const base32Digits = "abcdefghijklmnopqrstuvwxyz234567"

// generateKey makes the parts of a new key.
func generateKey() (id, secret string) {
	random := make([]byte, 10+32)
	rand.Read(random) // never fails: crypto/rand ends the program rather than return an error
	id = base32.NewEncoding(base32Digits).EncodeToString(random[:10])
	secret = new(big.Int).SetBytes(random[10:]).Text(62)
	return id, strings.Repeat("0", keySecretLength-len(secret)) + secret
}

func formatKey(id, secret string) string { return keyPrefix + id + "_" + secret }

// looksLikeKey tells an API key from a JWT, which always begins with "ey": the encoding of an object's first bytes.
func looksLikeKey(credential string) bool { return strings.HasPrefix(credential, keyPrefix) }

// parseKey takes a key apart; ok is false for anything that was never one.
func parseKey(key string) (id, secret string, ok bool) {
	rest, ok := strings.CutPrefix(key, keyPrefix)
	if !ok || len(rest) != keyIDLength+1+keySecretLength || rest[keyIDLength] != '_' {
		return "", "", false
	}
	id, secret = rest[:keyIDLength], rest[keyIDLength+1:]
	if !isKeyID(id) || strings.ContainsFunc(secret, notBase62) {
		return "", "", false
	}
	return id, secret, true
}

func isKeyID(id string) bool {
	return len(id) == keyIDLength && strings.Trim(id, base32Digits) == ""
}

func notBase62(r rune) bool {
	return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
}

func hashSecret(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// has reports whether the record's key has the secret, in constant time.
func (r keyRecord) has(secret string) bool {
	return subtle.ConstantTimeCompare(r.secretHash, hashSecret(secret)) == 1
}

// endedAt reports whether the key is revoked, or has expired at the time given.
func (k APIKey) endedAt(now time.Time) bool {
	return k.RevokedAt != nil || k.ExpiresAt != nil && !now.Before(*k.ExpiresAt)
}

func (k APIKey) principal() Principal {
	p := Principal{Subject: k.Name, Scopes: k.Scopes, Devices: k.Devices, KeyID: k.ID}
	if k.ExpiresAt != nil {
		p.Expires = *k.ExpiresAt
	}
	return p
}
