// Package auth knows who may do what: users, API keys, tokens, and the scopes and devices that each covers.
package auth

import (
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"
)

// Scope is one permission of a token.
type Scope string

// The scopes. Admin covers every other one.
const (
	DevicesRead   Scope = "devices:read"
	DevicesWrite  Scope = "devices:write"
	ReadingsRead  Scope = "readings:read"
	ReadingsWrite Scope = "readings:write"
	Admin         Scope = "admin"
)

// AllScopes lists every scope there is, in the order in which they are shown.
func AllScopes() []Scope {
	return []Scope{DevicesRead, DevicesWrite, ReadingsRead, ReadingsWrite, Admin}
}

// Principal is whoever a request's credentials stand for, and what they cover.
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
// a token that somebody else has issued, who may happen to have the same name.
func (p Principal) IsUser() bool { return p.account != "" }

// SeesAll reports whether no device is hidden from the principal.
func (p Principal) SeesAll() bool { return p.Devices == nil }

// Sees reports whether the principal may see or touch the device. It costs a comparison per entry of Devices: whoever
// asks for many readings of few devices should ask once for each device.
func (p Principal) Sees(device string) bool {
	if p.Devices == nil {
		return true
	}
	return slices.ContainsFunc(p.Devices, func(pattern string) bool { return matches(pattern, device) })
}

// PrincipalOf returns the principal that Guard.Require found in the request. It panics on a route that has no guard:
// that is a bug which must not pass as "nobody".
func PrincipalOf(c *fiber.Ctx) Principal {
	return c.Locals(principalKey).(Principal)
}
