package auth

import (
	"github.com/gofiber/fiber/v2"

	"telltale/modules/auth/strictjson"
	"telltale/platform/fault"
	"telltale/platform/httpapi"
)

// maxBody is far above what a valid request can need.
const maxBody = 256 << 10

// check notes the reason unless it is empty.
func check(faults *fault.Fields, name, reason string) {
	if reason != "" {
		faults.Add(name, "%s", reason)
	}
}

// readMembers returns the members of the request's body.
func readMembers(c *fiber.Ctx) (*httpapi.Members, error) {
	return httpapi.ReadMembers(c, maxBody, fiber.MIMEApplicationJSON)
}

// needed is httpapi.Take for a member that must be there; without it the result is T's zero value, and a fault noted.
func needed[T any](m *httpapi.Members, name, wanted string) T {
	m.Require(name)
	return or(httpapi.Take[T](m, name, wanted))
}

// or returns what the pointer points to, or T's zero value.
func or[T any](value *T) T {
	if value == nil {
		return *new(T)
	}
	return *value
}

// patternList is an array of strings, none of them null.
type patternList []string

func (l *patternList) UnmarshalJSON(data []byte) (err error) {
	*l, err = strictjson.Strings(data)
	return err
}
