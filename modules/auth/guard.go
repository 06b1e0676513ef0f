package auth

import (
	"github.com/gofiber/fiber/v2"

	"telltale/platform/fault"
)

// Admit checks that the principal has all the scopes, and leaves it in the request for PrincipalOf and for the access
// log. It is the last step of every guard, authtest's included.
//
// It returns a Forbidden fault that names the scope which is missing.
func Admit(c *fiber.Ctx, principal Principal, scopes ...Scope) error {
	c.Locals(principalKey, principal)
	c.Locals(subjectKey, principal.Subject)
	for _, scope := range scopes {
		if !principal.Can(scope) {
			return fault.New(fault.Forbidden, "this needs the scope %s, which your credentials do not have", scope)
		}
	}
	return nil
}

// subjectKey is where the access log finds the principal's subject in a request's locals.
const subjectKey = "telltale.subject"
