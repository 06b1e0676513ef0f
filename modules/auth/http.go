package auth

import (
	"errors"
	"time"

	"github.com/gofiber/fiber/v2"

	"telltale/modules/auth/access"
	"telltale/modules/auth/keys"
	"telltale/modules/auth/tokens"
	"telltale/modules/auth/users"
	"telltale/platform/httpapi"
)

// Routes returns the routes of the module. SameSite keeps pages of other sites from changing a browser's session.
func Routes(users *users.Service, keys *keys.Service, tokens *tokens.Service, guard *Guard, sameSite *httpapi.SameSite) httpapi.Routes {
	session := sessionHandlers{users, tokens, sameSite}
	user := userHandlers{users}
	key := keyHandlers{keys}
	return httpapi.Routes{Name: "auth", Mount: func(api fiber.Router) {
		api.Post("/auth/token", session.login)
		api.Post("/auth/logout", session.logout)
		api.Post("/auth/session", guard.Require(), session.renew)
		api.Get("/auth/me", guard.Require(), session.me)
		api.Post("/auth/password", guard.Require(), session.changePassword)

		api.Get("/auth/users", guard.Require(access.Admin), user.list)
		api.Post("/auth/users", guard.Require(access.Admin), user.create)
		api.Get("/auth/users/:username", guard.Require(access.Admin), user.get)
		api.Patch("/auth/users/:username", guard.Require(access.Admin), user.update)
		api.Delete("/auth/users/:username", guard.Require(access.Admin), user.delete)

		api.Get("/auth/keys", guard.Require(access.Admin), key.list)
		api.Post("/auth/keys", guard.Require(access.Admin), key.create)
		api.Delete("/auth/keys/:id", guard.Require(access.Admin), key.revoke)
	}}
}

// How many users or keys a list has when its caller does not say, and at most.
const (
	defaultLimit = 100
	maxLimit     = 1000
)

// The parameters of lists.
var (
	listParameters = httpapi.Parameters{}.Once("limit", "cursor")
	keyParameters  = listParameters.Once("revoked")
)

// page reads limit and cursor, the id or name to go on after.
func page(q *httpapi.Query, valid func(string) bool) (after string, limit int) {
	limit = q.Number("limit", defaultLimit, 1, maxLimit)
	after = httpapi.Parsed(q, "cursor", "", func(text string) (string, error) {
		if !valid(text) {
			return "", errors.New("must be the next_cursor of an earlier answer")
		}
		return text, nil
	})
	return after, limit
}

// nextCursor is where the next page begins, null when there is none.
func nextCursor[T any](entries []T, more bool, key func(T) string) *string {
	if !more || len(entries) == 0 {
		return nil
	}
	cursor := key(entries[len(entries)-1])
	return &cursor
}

// utc returns the time as it is shown, nil for none.
func utc(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	shown := t.UTC()
	return &shown
}
