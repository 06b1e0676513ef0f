package devices

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"mime"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"telltale/platform/fault"
)

const (
	// maxBody is far above what a valid request can need.
	maxBody = 1 << 20
	// maxRetentionDays is a century.
	maxRetentionDays = 36_500
)

func parseDraft(c *fiber.Ctx) (Draft, error) {
	body, err := readBody(c, fiber.MIMEApplicationJSON)
	if err != nil {
		return Draft{}, err
	}
	draft := Draft{
		ID:       or(body.text("id", false), ""),
		Name:     or(body.text("name", false), ""),
		Tags:     or(body.texts("tags", false), nil),
		Units:    body.units(false),
		Metadata: body.take("metadata"),

		RetentionDays: body.days("retention_days"),
	}
	return draft, body.err()
}

// parsePatch reads a JSON merge patch (RFC 7396), in which null takes a member back to its default.
func parsePatch(c *fiber.Ctx) (Patch, error) {
	body, err := readBody(c, fiber.MIMEApplicationJSON, "application/merge-patch+json")
	if err != nil {
		return Patch{}, err
	}
	if body.take("id") != nil {
		body.faults.add("id", errors.New("cannot be changed"))
	}
	patch := Patch{
		Name:     body.text("name", true),
		Tags:     body.texts("tags", true),
		Units:    body.units(true),
		Metadata: body.take("metadata"),

		RetentionDays: body.days("retention_days"),
	}
	return patch, body.err()
}

// body is a JSON object whose members are taken out one by one, so that absent, null and unknown ones can be told apart.
type body struct {
	members map[string]json.RawMessage
	faults  faults
}

// readBody returns the body of a request in one of the media types given. The result keeps nothing of the request's own
// memory.
func readBody(c *fiber.Ctx, mediaTypes ...string) (*body, error) {
	mediaType, params, err := mime.ParseMediaType(string(c.Request().Header.ContentType()))
	charset := params["charset"]
	if err != nil || !slices.Contains(mediaTypes, mediaType) || charset != "" && !strings.EqualFold(charset, "utf-8") {
		return nil, fault.New(fault.UnsupportedMedia, "the body must be %s", strings.Join(mediaTypes, " or "))
	}
	if encoding := c.Get(fiber.HeaderContentEncoding); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return nil, fault.New(fault.UnsupportedMedia, "the body must not be compressed")
	}
	raw := c.Request().Body()
	if len(raw) > maxBody {
		return nil, fault.New(fault.TooLarge, "the body must be at most %d bytes", maxBody)
	}
	b := &body{}
	if !utf8.Valid(raw) || !bytes.HasPrefix(bytes.TrimLeft(raw, " \t\r\n"), []byte("{")) || json.Unmarshal(raw, &b.members) != nil {
		return nil, fault.InvalidField("body", "must be a JSON object in UTF-8")
	}
	return b, nil
}

// take removes a member and returns it, nil when it is absent.
func (b *body) take(name string) json.RawMessage {
	raw := b.members[name]
	delete(b.members, name)
	return raw
}

// text takes a string. It returns nil when the member is absent or at fault; null is "" where nullable.
func (b *body) text(name string, nullable bool) *string {
	return decode[string](b, name, "must be a string", nullable)
}

// texts takes an array of strings, as text does.
func (b *body) texts(name string, nullable bool) *[]string {
	list := decode[[]*string](b, name, "must be an array of strings", nullable)
	if list == nil {
		return nil
	}
	texts := make([]string, len(*list))
	for i, text := range *list {
		if text == nil {
			b.faults.add(fmt.Sprintf("%s[%d]", name, i), errors.New("must be a string"))
			continue
		}
		texts[i] = *text
	}
	return &texts
}

// units takes the object of units by metric; a null among them, where nullable, removes a unit.
func (b *body) units(nullable bool) map[string]string {
	object := or(decode[map[string]*string](b, "units", "must be an object of strings", false), nil)
	units := make(map[string]string, len(object))
	for metric, unit := range object {
		if unit == nil && !nullable {
			b.faults.add("units."+metric, errors.New("must be a string"))
		}
		units[metric] = or(unit, "")
	}
	return units
}

// days takes a whole number of days; null is GeneralRetention.
func (b *body) days(name string) *int {
	if isNull(b.members[name]) {
		b.take(name)
		general := GeneralRetention
		return &general
	}
	wanted := fmt.Sprintf("must be null or a whole number of days from 0 to %d", maxRetentionDays)
	days := decode[int](b, name, wanted, false)
	if days != nil && (*days < 0 || *days > maxRetentionDays) {
		b.faults.add(name, errors.New(wanted))
		return nil
	}
	return days
}

// decode takes a member of type T. It returns nil when the member is absent or at fault; null is T's zero value where
// nullable.
func decode[T any](b *body, name, wanted string, nullable bool) *T {
	raw := b.take(name)
	if raw == nil {
		return nil
	}
	var value T
	if isNull(raw) && nullable {
		return &value
	}
	if isNull(raw) || json.Unmarshal(raw, &value) != nil {
		b.faults.add(name, errors.New(wanted))
		return nil
	}
	return &value
}

// err returns an Invalid fault with all that was wrong, members that nobody has taken included.
func (b *body) err() error {
	for _, name := range slices.Sorted(maps.Keys(b.members)) {
		b.faults.add(name, errors.New("is not a field here"))
	}
	return b.faults.err()
}

func or[T any](value *T, absent T) T {
	if value == nil {
		return absent
	}
	return *value
}
