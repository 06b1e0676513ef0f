// Package keytext defines the text of API keys: how to make one, take it apart and tell it from a token, and what is stored of its
// secret.
//
// It does not know what a key covers, or whether a key exists.
package keytext

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"math/big"
	"strings"
)

// A key reads tt_<id>_<secret>: the id is 80 random bits in base32, the secret 256 in base62. Neither has an underscore.
const (
	prefix       = "tt_"
	idLength     = 16
	secretLength = 43
)

const idDigits = "abcdefghijklmnopqrstuvwxyz234567"

// Generate makes the parts of a new key.
func Generate() (id, secret string) {
	random := make([]byte, 10+32)
	rand.Read(random) // never fails: crypto/rand ends the program rather than return an error
	id = base32.NewEncoding(idDigits).EncodeToString(random[:10])
	secret = new(big.Int).SetBytes(random[10:]).Text(62)
	return id, strings.Repeat("0", secretLength-len(secret)) + secret
}

// Format returns the text of a key.
func Format(id, secret string) string { return prefix + id + "_" + secret }

// IsKey tells an API key from a JWT, which always begins with "ey": the encoding of an object's first bytes.
func IsKey(credential string) bool { return strings.HasPrefix(credential, prefix) }

// Parse takes a key apart; ok is false for anything that was never one.
func Parse(key string) (id, secret string, ok bool) {
	rest, ok := strings.CutPrefix(key, prefix)
	if !ok || len(rest) != idLength+1+secretLength || rest[idLength] != '_' {
		return "", "", false
	}
	id, secret = rest[:idLength], rest[idLength+1:]
	if !IsID(id) || strings.ContainsFunc(secret, NotBase62) {
		return "", "", false
	}
	return id, secret, true
}

// IsID reports whether the text can be the id of a key.
func IsID(id string) bool {
	return len(id) == idLength && strings.Trim(id, idDigits) == ""
}

// NotBase62 tells what is no digit of a secret.
func NotBase62(r rune) bool {
	return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
}

// Hash returns what is kept of a secret.
func Hash(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}
