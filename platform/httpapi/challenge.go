package httpapi

import (
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// Challenge sets WWW-Authenticate (RFC 6750): what the caller has to bring, and what was wrong with the credentials it has
// brought. Attributes are names and values in turn, such as "error" and "insufficient_scope"; a caller without credentials has
// made no error yet, and gets none.
func Challenge(c *fiber.Ctx, attributes ...string) {
	value := `Bearer realm="telltale"`
	for pair := range slices.Chunk(attributes, 2) {
		value += ", " + pair[0] + `="` + quotable(pair[1]) + `"`
	}
	c.Set(fiber.HeaderWWWAuthenticate, value)
}

// ChallengeToken is Challenge for a caller whose token was refused for the reason that the message tells.
func ChallengeToken(c *fiber.Ctx, message string) {
	Challenge(c, "error", "invalid_token", "error_description", message)
}

// challengeOnce sets WWW-Authenticate unless the handler that refused the request has set it already.
func challengeOnce(c *fiber.Ctx, message string) {
	if len(c.Response().Header.Peek(fiber.HeaderWWWAuthenticate)) > 0 {
		return
	}
	if scheme, _, _ := strings.Cut(c.Get(fiber.HeaderAuthorization), " "); strings.EqualFold(scheme, "Bearer") {
		ChallengeToken(c, message)
		return
	}
	Challenge(c)
}

// quotable keeps what RFC 6750 allows in an error_description.
func quotable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' || r == '\\' {
			return '\''
		}
		return r
	}, text)
}
