package keys

import (
	"crypto/subtle"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"telltale/modules/auth/access"
	"telltale/modules/auth/keytext"
	"telltale/platform/fault"
)

// The longest name of a key, in characters, and the year after which a time can no longer be written as RFC 3339.
const (
	maxName  = 64
	lastYear = 9999
)

// Key is a revocable credential for a program or a device. Of its secret only a hash is kept.
type Key struct {
	// ID is the public part of the key.
	ID     string
	Name   string
	Scopes []access.Scope
	// Devices narrows what the key may see or touch, as in Principal.
	Devices   []string
	CreatedBy string
	CreatedAt time.Time
	// ExpiresAt and RevokedAt are nil for a key that never expires and one that has not been revoked.
	ExpiresAt *time.Time
	RevokedAt *time.Time
}

// Draft is what an administrator decides about a key to be made.
type Draft struct {
	Name      string
	Scopes    []access.Scope
	Devices   []string
	ExpiresAt *time.Time
}

// Validate returns an Invalid fault with everything that is wrong with a key to be made, by field.
func (k *Service) Validate(key Draft) error {
	var wrong fault.Fields
	if n := utf8.RuneCountInString(key.Name); n == 0 || n > maxName || strings.TrimSpace(key.Name) != key.Name ||
		strings.ContainsFunc(key.Name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		wrong.Add("name", "must have 1 to %d printable characters, and no space at either end", maxName)
	}
	access.GrantFaults(&wrong, key.Scopes, key.Devices)
	if key.ExpiresAt != nil && (!key.ExpiresAt.After(k.now()) || key.ExpiresAt.Year() > lastYear) {
		wrong.Add("expires_at", "must be in the future")
	}
	return wrong.Err()
}

// record is a key as a request's credentials are checked against it.
type record struct {
	Key
	secretHash []byte // SHA-256 of the secret's text
}

// has reports whether the record's key has the secret, in constant time.
func (r record) has(secret string) bool {
	return subtle.ConstantTimeCompare(r.secretHash, keytext.Hash(secret)) == 1
}

// endedAt reports whether the key is revoked, or has expired at the time given.
func (k Key) endedAt(now time.Time) bool {
	return k.RevokedAt != nil || k.ExpiresAt != nil && !now.Before(*k.ExpiresAt)
}

func (k Key) principal() access.Principal {
	p := access.Principal{Subject: k.Name, Scopes: k.Scopes, Devices: k.Devices, KeyID: k.ID}
	if k.ExpiresAt != nil {
		p.Expires = *k.ExpiresAt
	}
	return p
}
