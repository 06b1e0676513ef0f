package auth

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"telltale/modules/auth/access"
	"telltale/modules/auth/keys"
	"telltale/modules/auth/keytext"
	"telltale/platform/httpapi"
)

// keyHandlers let an administrator manage API keys.
type keyHandlers struct{ keys *keys.Service }

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

func showKey(k keys.Key, text string) keyAnswer {
	return keyAnswer{
		k.ID, text, k.Name, access.SortedScopes(k.Scopes), k.Devices, k.CreatedBy, k.CreatedAt.UTC(), utc(k.ExpiresAt), utc(k.RevokedAt),
	}
}

type keysAnswer struct {
	Keys       []keyAnswer `json:"keys"`
	NextCursor *string     `json:"next_cursor"`
}

// readDraft reads the body of a creation.
func (h keyHandlers) readDraft(c *fiber.Ctx) (keys.Draft, error) {
	m, err := readMembers(c)
	if err != nil {
		return keys.Draft{}, err
	}
	draft := keys.Draft{Name: needed[string](m, "name", "a string")}
	draft.Scopes = needed[[]access.Scope](m, "scopes", "an array of scopes")
	draft.Devices = or(httpapi.TakeNullable[patternList](m, "devices", "null, for all devices, or an array of device ids and patterns"))
	if !m.TakeNull("expires_at") {
		draft.ExpiresAt = httpapi.Take[time.Time](m, "expires_at", "null, for never, or a time such as 2027-01-01T00:00:00Z")
	}
	m.Unknown()
	if m.Faults.Empty() {
		m.Faults.Include(h.keys.Validate(draft))
	}
	return draft, m.Faults.Err()
}

func (h keyHandlers) list(c *fiber.Ctx) error {
	q := keyParameters.Read(c)
	after, limit := page(q, keytext.IsID)
	revoked := q.Flag("revoked")
	if err := q.Err(); err != nil {
		return err
	}
	found, more, err := h.keys.List(c.UserContext(), PrincipalOf(c), revoked, after, limit)
	if err != nil {
		return err
	}
	answer := keysAnswer{Keys: make([]keyAnswer, len(found)), NextCursor: nextCursor(found, more, func(k keys.Key) string { return k.ID })}
	for i, key := range found {
		answer.Keys[i] = showKey(key, "")
	}
	return c.JSON(answer)
}

func (h keyHandlers) create(c *fiber.Ctx) error {
	if err := httpapi.ReadNone(c); err != nil {
		return err
	}
	draft, err := h.readDraft(c)
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
	if err := h.keys.Revoke(c.UserContext(), PrincipalOf(c), id); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}
