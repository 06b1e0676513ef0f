package auth

import (
	"crypto/subtle"
	"time"

	"telltale/modules/auth/access"
	"telltale/modules/auth/keytext"
)

// APIKey is a revocable credential for a program or a device. Of its secret only a hash is kept.
type APIKey struct {
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

// NewKey is what an administrator decides about a key to be made.
type NewKey struct {
	Name      string
	Scopes    []access.Scope
	Devices   []string
	ExpiresAt *time.Time
}

// keyRecord is a key as a request's credentials are checked against it.
type keyRecord struct {
	APIKey
	secretHash []byte // SHA-256 of the secret's text
}

// has reports whether the record's key has the secret, in constant time.
func (r keyRecord) has(secret string) bool {
	return subtle.ConstantTimeCompare(r.secretHash, keytext.Hash(secret)) == 1
}

// endedAt reports whether the key is revoked, or has expired at the time given.
func (k APIKey) endedAt(now time.Time) bool {
	return k.RevokedAt != nil || k.ExpiresAt != nil && !now.Before(*k.ExpiresAt)
}

func (k APIKey) principal() access.Principal {
	p := access.Principal{Subject: k.Name, Scopes: k.Scopes, Devices: k.Devices, KeyID: k.ID}
	if k.ExpiresAt != nil {
		p.Expires = *k.ExpiresAt
	}
	return p
}
