// Package auth knows who may do what: users, API keys, tokens, and the scopes and devices that each covers.
package auth

import (
	"path"
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
}

// Can reports whether the principal has the scope.
func (p Principal) Can(scope Scope) bool {
	return slices.Contains(p.Scopes, scope) || slices.Contains(p.Scopes, Admin)
}

// SeesAll reports whether no device is hidden from the principal.
func (p Principal) SeesAll() bool { return p.Devices == nil }

// Sees reports whether the principal may see or touch the device.
func (p Principal) Sees(device string) bool {
	if p.Devices == nil {
		return true
	}
	return slices.ContainsFunc(p.Devices, func(pattern string) bool {
		matched, err := path.Match(pattern, device)
		return pattern == device || (err == nil && matched)
	})
}

// principalKey is where Guard leaves the principal in a request's locals.
const principalKey = "telltale.principal"

// PrincipalOf returns the principal that Guard.Require found in the request. It panics on a route that has no guard:
// that is a bug which must not pass as "nobody".
func PrincipalOf(c *fiber.Ctx) Principal {
	return c.Locals(principalKey).(Principal)
}
