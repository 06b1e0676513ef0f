// Package auth lets requests through: its Guard finds the credentials of a request and the principal that they stand for, checks its
// scopes and leaves it for the route's handlers. Its API logs users in and out, and manages users and keys.
//
// What needs no request is in packages beneath it. It does not know what else the program serves.
package auth

import (
	"github.com/gofiber/fiber/v2"

	"telltale/modules/auth/access"
	"telltale/platform/fault"
	"telltale/platform/httpapi"
)

// principalKey is where a guard leaves the principal in a request's locals.
const principalKey = "telltale.principal"

// Admit checks that the principal has all the scopes, and leaves it in the request for PrincipalOf and for the access
// log. It is the last step of every guard, authtest's included.
//
// It returns a Forbidden fault that names the scope which is missing.
func Admit(c *fiber.Ctx, principal access.Principal, scopes ...access.Scope) error {
	c.Locals(principalKey, principal)
	httpapi.SetSubject(c, principal.Subject)
	for _, scope := range scopes {
		if !principal.Can(scope) {
			return fault.New(fault.Forbidden, "this needs the scope %s, which your credentials do not have", scope)
		}
	}
	return nil
}

// PrincipalOf returns the principal that Guard.Require found in the request. It panics on a route that has no guard:
// that is a bug which must not pass as a principal without rights.
func PrincipalOf(c *fiber.Ctx) access.Principal {
	return c.Locals(principalKey).(access.Principal)
}
