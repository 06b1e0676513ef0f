package auth

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"telltale/platform/fault"
	"telltale/platform/httpserver"
)

// Routes returns the routes of the module.
func Routes(users *Users, keys *Keys, tokens *Tokens, guard *Guard) httpserver.Routes {
	session := sessionHandlers{users, tokens}
	user := userHandlers{users}
	key := keyHandlers{keys}
	return httpserver.Routes{Name: "auth", Mount: func(api fiber.Router) {
		api.Post("/auth/token", session.login)
		api.Post("/auth/logout", session.logout)
		api.Get("/auth/me", guard.Require(), session.me)
		api.Post("/auth/password", guard.Require(), session.changePassword)

		api.Get("/auth/users", guard.Require(Admin), user.list)
		api.Post("/auth/users", guard.Require(Admin), user.create)
		api.Get("/auth/users/:username", guard.Require(Admin), user.get)
		api.Patch("/auth/users/:username", guard.Require(Admin), user.update)
		api.Delete("/auth/users/:username", guard.Require(Admin), user.delete)

		api.Get("/auth/keys", guard.Require(Admin), key.list)
		api.Post("/auth/keys", guard.Require(Admin), key.create)
		api.Delete("/auth/keys/:id", guard.Require(Admin), key.revoke)
	}}
}

// How many users or keys a list has when its caller does not say, and at most.
const (
	defaultLimit = 100
	maxLimit     = 1000
)

// query holds the parameters of a request, each given once.
type query struct {
	values map[string]string
	faults fault.Fields
}

// readQuery takes the request's parameters; those not among the names allowed, and repeated ones, are noted as faults.
func readQuery(c *fiber.Ctx, allowed ...string) *query {
	q := &query{values: map[string]string{}}
	wrong := map[string]string{}
	c.Context().QueryArgs().VisitAll(func(name, value []byte) {
		key := string(name)
		switch _, repeated := q.values[key]; {
		case !slices.Contains(allowed, key):
			wrong[key] = "is not a parameter here"
		case repeated:
			wrong[key] = "must not be given more than once"
		}
		q.values[key] = string(value)
	})
	for _, name := range slices.Sorted(maps.Keys(wrong)) {
		q.faults.Add(name, "%s", wrong[name])
	}
	return q
}

// noQuery returns an Invalid fault for any parameter at all.
func noQuery(c *fiber.Ctx) error { return readQuery(c).faults.Err() }

// page reads limit and cursor, the id or name to go on after.
func (q *query) page(valid func(string) bool) (after string, limit int) {
	limit = defaultLimit
	if text, given := q.values["limit"]; given {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > maxLimit {
			q.faults.Add("limit", "must be a number from 1 to %d", maxLimit)
		}
		limit = n
	}
	after, given := q.values["cursor"]
	if given && !valid(after) {
		q.faults.Add("cursor", "must be the next_cursor of an earlier answer")
	}
	return after, limit
}

// flag reads a boolean parameter that is false when absent.
func (q *query) flag(name string) bool {
	text, given := q.values[name]
	if given && text != "true" && text != "false" {
		q.faults.Add(name, "must be true or false")
	}
	return text == "true"
}

// nextCursor is where the next page begins, null when there is none.
func nextCursor[T covered](entries []T, more bool) *string {
	if !more || len(entries) == 0 {
		return nil
	}
	cursor := entries[len(entries)-1].place()
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
