// Package auth knows who may do what: users, API keys, tokens, and the scopes and devices that each covers. Its front door is the
// Guard, which checks a request, lets it through to a route and stores the Principal there. Its API manages users and keys.
//
// Packages beneath it own what needs neither principals nor scopes: keys that sign and verify tokens (signing), passwords and their
// throttle (password), the text of API keys (keytext), cached database lookups (lookup), strict JSON (strictjson), secrets in files
// (secretfile), and the first administrator (bootstrap).
package auth

import (
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"telltale/platform/glob"
)

// Scope is one permission of a token.
type Scope string

// The scopes. Admin covers every other one.
const (
	DevicesRead   Scope = "devices:read"
	DevicesWrite  Scope = "devices:write"
	ReadingsRead  Scope = "readings:read"
	ReadingsWrite Scope = "readings:write"
	// ReadingsDelete takes stored readings away. Who writes readings need not have it.
	ReadingsDelete Scope = "readings:delete"
	Admin          Scope = "admin"
)

// AllScopes lists every scope there is, in the order in which they are shown.
func AllScopes() []Scope {
	return []Scope{DevicesRead, DevicesWrite, ReadingsRead, ReadingsWrite, ReadingsDelete, Admin}
}

// Principal is the user, key or program that a request's credentials stand for, and what they cover.
type Principal struct {
	// Subject is the user name, or the name of the API key.
	Subject string
	Scopes  []Scope
	// Devices narrows everything the principal may see or touch to the ids and globs (path.Match syntax) listed; nil
	// means all devices, an empty list none.
	Devices []string
	// Expires is when the credentials end; zero means never.
	Expires time.Time
	// KeyID is the API key's id, empty for a user's token.
	KeyID string
	// account is the fingerprint of the user's password hash when Telltale issued the token itself; see Users.
	account string
}

// Can reports whether the principal has the scope.
func (p Principal) Can(scope Scope) bool {
	return slices.Contains(p.Scopes, scope) || slices.Contains(p.Scopes, Admin)
}

// IsUser reports whether the principal is one of Telltale's own users (see Users), rather than an API key or the subject of
// a token of another issuer, whose subjects may happen to have the same name.
func (p Principal) IsUser() bool { return p.account != "" }

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

// PrincipalOf returns the principal that Guard.Require found in the request. It panics on a route that has no guard:
// that is a bug which must not pass as a principal without rights.
func PrincipalOf(c *fiber.Ctx) Principal {
	return c.Locals(principalKey).(Principal)
}
