// Package authtest lets the tests of other modules pass guarded routes without tokens, users or a database. Its guard takes every
// request for the same principal and checks scopes as package auth does.
//
// It is for tests alone, and checks no credentials: package auth tests how those are read and refused.
package authtest

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"telltale/modules/auth"
	"telltale/modules/auth/access"
)

// Guard takes everyone for the same principal. It still checks scopes, exactly as auth.Guard does.
type Guard struct{ principal access.Principal }

// As returns a guard that takes everyone for the principal given.
func As(principal access.Principal) *Guard { return &Guard{principal: principal} }

// Admin returns a guard that takes everyone for an administrator who sees all devices.
func Admin() *Guard {
	return As(access.Principal{Subject: "admin", Scopes: []access.Scope{access.Admin}})
}

// Require stands in for auth.Guard.Require.
func (g *Guard) Require(scopes ...access.Scope) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if err := auth.Admit(c, g.principal, scopes...); err != nil {
			return err
		}
		return c.Next()
	}
}

// RequireBrowser stands in for auth.Guard.RequireBrowser.
func (g *Guard) RequireBrowser(scopes ...access.Scope) fiber.Handler { return g.Require(scopes...) }

// Recheck stands in for auth.Guard.Recheck: the credentials are always still good.
func (g *Guard) Recheck(context.Context, access.Principal) error { return nil }

// OnChange stands in for auth.Guard.OnChange: nothing ever changes.
func (g *Guard) OnChange(func(func(access.Principal) bool)) {}
