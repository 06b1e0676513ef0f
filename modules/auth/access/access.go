// Package access says what credentials cover: the scopes, the principal that a request's credentials stand for, which devices its
// patterns cover, and what an administrator may grant of its own.
//
// It does not know where principals come from, nor HTTP: package auth finds the principal of a request and checks its scopes. Users,
// keys and tokens are packages of their own.
package access

import (
	"slices"
	"time"

	"telltale/platform/fault"
	"telltale/platform/glob"
)

// Principal is the user, key or program that a request's credentials stand for, and what they cover.
type Principal struct {
	// Subject is the user name, or the name of the API key.
	Subject string
	Scopes  []Scope
	// Devices narrows everything the principal may see or touch to the ids and patterns (see package glob) listed; nil
	// means all devices, an empty list none.
	Devices []string
	// Expires is when the credentials end; zero means never.
	Expires time.Time
	// KeyID is the API key's id, empty for a user's token.
	KeyID string
	// Account is the fingerprint of the user's password hash when Telltale issued the token itself, else empty; see package users.
	Account string
}

// Can reports whether the principal has the scope.
func (p Principal) Can(scope Scope) bool {
	return slices.Contains(p.Scopes, scope) || slices.Contains(p.Scopes, Admin)
}

// Allowed returns those of the scopes that the principal has, or that its admin scope covers.
func (p Principal) Allowed(scopes []Scope) []Scope {
	return slices.DeleteFunc(slices.Clone(scopes), func(scope Scope) bool { return !p.Can(scope) })
}

// IsUser reports whether the principal is one of Telltale's own users, rather than an API key or the subject of a token of another
// issuer, whose subjects may happen to have the same name.
func (p Principal) IsUser() bool { return p.Account != "" }

// Owner names the user or API key of a principal, or the subject of a token that another issuer has signed. What is kept for a
// principal is kept under this name.
func (p Principal) Owner() string {
	switch {
	case p.KeyID != "":
		return "key:" + p.KeyID
	case p.IsUser():
		return "user:" + p.Subject
	}
	return "subject:" + p.Subject
}

// SeesAll reports whether no device is hidden from the principal.
func (p Principal) SeesAll() bool { return p.Devices == nil }

// Sees reports whether the principal may see or touch the device. It costs a comparison per entry of Devices: code that
// asks about many devices asks Covers once instead.
func (p Principal) Sees(device string) bool {
	if p.Devices == nil {
		return true
	}
	return slices.ContainsFunc(p.Devices, func(pattern string) bool { return matches(pattern, device) })
}

// Covers returns the devices that the principal may see or touch, nil for all of them. To make the set takes a few
// microseconds for each entry of Devices, to ask it a fraction of one.
func (p Principal) Covers() *glob.Set {
	if p.Devices == nil {
		return nil
	}
	return glob.NewSet(p.Devices)
}

// CoversAll reports whether the principal may see every device that the patterns can ever match; nil means every device. It errs on
// the side of false where patterns overlap in ways that it does not follow.
func (p Principal) CoversAll(devices []string) bool { return coversAll(p.Devices, devices) }

// CheckGrant returns a Forbidden fault when the principal would hand out devices beyond its own.
func (p Principal) CheckGrant(devices []string) error {
	if p.CoversAll(devices) {
		return nil
	}
	return fault.New(fault.Forbidden, "you can only grant devices that your own credentials cover: name them in devices")
}
