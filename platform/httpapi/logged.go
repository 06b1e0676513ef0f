package httpapi

import (
	"strings"

	"github.com/gofiber/fiber/v2"
)

// Where a handler leaves what the access log is to know of its request.
const (
	subjectKey    = "telltale.subject"
	repetitiveKey = "telltale.repetitive"
)

// SetSubject leaves the name of whose credentials the request has.
func SetSubject(c *fiber.Ctx, name string) { c.Locals(subjectKey, name) }

// Subject returns a copy of the name that SetSubject has left, "" for none.
func Subject(c *fiber.Ctx) string {
	name, _ := c.Locals(subjectKey).(string)
	return strings.Clone(name)
}

// Repetitive has the request, if it succeeds, counted among those of which config.HTTP.AccessLogIngestSample leaves one line
// of many in the access log. It is for calls that machines make all day; a failure is always logged.
func Repetitive(c *fiber.Ctx) { c.Locals(repetitiveKey, true) }

// IsRepetitive reports whether Repetitive was called for the request.
func IsRepetitive(c *fiber.Ctx) bool { return c.Locals(repetitiveKey) != nil }
