package auth

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"telltale/modules/auth/access"
	"telltale/modules/auth/keytext"
	"telltale/platform/fault"
	"telltale/platform/httpapi"
)

// The longest name of a key, in characters, and the year after which a time can no longer be written as RFC 3339.
const (
	maxKeyName = 64
	lastYear   = 9999
)

// keyHandlers let an administrator manage API keys.
type keyHandlers struct{ keys *Keys }

// keyAnswer is a key as it is shown. Key, the text with the secret, is there only in the answer that creates it. Devices
// is null when it covers all, ExpiresAt when it never expires.
type keyAnswer struct {
	ID        string         `json:"id"`
	Key       string         `json:"key,omitempty"`
	Name      string         `json:"name"`
	Scopes    []access.Scope `json:"scopes"`
	Devices   []string       `json:"devices"`
	CreatedBy string         `json:"created_by"`
	CreatedAt time.Time      `json:"created_at"`
	ExpiresAt *time.Time     `json:"expires_at"`
	RevokedAt *time.Time     `json:"revoked_at"`
}

func showKey(k APIKey, text string) keyAnswer {
	return keyAnswer{
		k.ID, text, k.Name, access.SortedScopes(k.Scopes), k.Devices, k.CreatedBy, k.CreatedAt.UTC(), utc(k.ExpiresAt), utc(k.RevokedAt),
	}
}

type keysAnswer struct {
	Keys       []keyAnswer `json:"keys"`
	NextCursor *string     `json:"next_cursor"`
}

// keyBody is a key to be created.
type keyBody struct {
	Name      string
	Scopes    *[]access.Scope
	Devices   *patternList
	ExpiresAt *time.Time
}

func readNewKey(c *fiber.Ctx, now time.Time) (NewKey, error) {
	m, err := readMembers(c)
	if err != nil {
		return NewKey{}, err
	}
	b := keyBody{Name: needed[string](m, "name", "a string")}
	m.Require("scopes")
	b.Scopes = httpapi.Take[[]access.Scope](m, "scopes", "an array of scopes")
	b.Devices = httpapi.TakeNullable[patternList](m, "devices", "null, for all devices, or an array of device ids and globs")
	if !m.TakeNull("expires_at") {
		b.ExpiresAt = httpapi.Take[time.Time](m, "expires_at", "null, for never, or a time such as 2027-01-01T00:00:00Z")
	}
	m.Unknown()
	if m.Faults.Empty() {
		m.Faults.Include(b.validate(now))
	}
	return NewKey{b.Name, or(b.Scopes), or(b.Devices), b.ExpiresAt}, m.Faults.Err()
}

// validate returns an Invalid fault with everything that is wrong with the body, by field.
func (b keyBody) validate(now time.Time) error {
	var wrong fault.Fields
	if n := utf8.RuneCountInString(b.Name); n == 0 || n > maxKeyName || strings.TrimSpace(b.Name) != b.Name ||
		strings.ContainsFunc(b.Name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		wrong.Add("name", "must have 1 to %d printable characters, and no space at either end", maxKeyName)
	}
	access.GrantFaults(&wrong, or(b.Scopes), or(b.Devices))
	if b.ExpiresAt != nil && (!b.ExpiresAt.After(now) || b.ExpiresAt.Year() > lastYear) {
		wrong.Add("expires_at", "must be in the future")
	}
	return wrong.Err()
}

func (h keyHandlers) list(c *fiber.Ctx) error {
	q := keyParameters.Read(c)
	after, limit := page(q, keytext.IsID)
	revoked := q.Flag("revoked")
	if err := q.Err(); err != nil {
		return err
	}
	keys, more, err := h.keys.List(c.UserContext(), PrincipalOf(c), revoked, after, limit)
	if err != nil {
		return err
	}
	answer := keysAnswer{Keys: make([]keyAnswer, len(keys)), NextCursor: nextCursor(keys, more, func(k APIKey) string { return k.ID })}
	for i, key := range keys {
		answer.Keys[i] = showKey(key, "")
	}
	return c.JSON(answer)
}

func (h keyHandlers) create(c *fiber.Ctx) error {
	if err := httpapi.ReadNone(c); err != nil {
		return err
	}
	draft, err := readNewKey(c, h.keys.now())
	if err != nil {
		return err
	}
	key, text, err := h.keys.Create(c.UserContext(), PrincipalOf(c), draft)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.Status(fiber.StatusCreated).JSON(showKey(key, text))
}

func (h keyHandlers) revoke(c *fiber.Ctx) error {
	if err := httpapi.ReadNone(c); err != nil {
		return err
	}
	id, err := httpapi.PathParam(c, "id")
	if err != nil {
		return err
	}
	if !keytext.IsID(id) {
		return noSuchKeyHere()
	}
	if err := h.keys.Revoke(c.UserContext(), PrincipalOf(c), id); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}
