package auth

import (
	"github.com/gofiber/fiber/v2"

	"telltale/platform/fault"
	"telltale/platform/httpserver"
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
func readMembers(c *fiber.Ctx) (*httpserver.Members, error) {
	return httpserver.ReadMembers(c, maxBody, fiber.MIMEApplicationJSON)
}

// needed is httpserver.Take for a member that must be there; without it the result is T's zero value, and a fault noted.
func needed[T any](m *httpserver.Members, name, wanted string) T {
	m.Require(name)
	return or(httpserver.Take[T](m, name, wanted))
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
	*l, err = stringList(data)
	return err
}
