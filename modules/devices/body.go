package devices

import (
	"fmt"

	"github.com/gofiber/fiber/v2"

	"telltale/modules/series"
	"telltale/platform/httpapi"
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
		Metadata: body.TakeRaw("metadata"),

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
	if body.TakeRaw("id") != nil {
		body.Faults.Add("id", "cannot be changed")
	}
	patch := Patch{
		Name:     body.text("name", true),
		Tags:     body.texts("tags", true),
		Units:    body.units(true),
		Metadata: body.TakeRaw("metadata"),

		RetentionDays: body.days("retention_days"),
	}
	return patch, body.err()
}

// body is the members of a request's body.
type body struct{ *httpapi.Members }

func readBody(c *fiber.Ctx, mediaTypes ...string) (body, error) {
	members, err := httpapi.ReadMembers(c, maxBody, mediaTypes...)
	return body{members}, err
}

// text takes a string. It returns nil when the member is absent or at fault; null is "" where nullable.
func (b body) text(name string, nullable bool) *string {
	return decode[string](b, name, "a string", nullable)
}

// texts takes an array of strings, as text does.
func (b body) texts(name string, nullable bool) *[]string {
	list := decode[[]*string](b, name, "an array of strings", nullable)
	if list == nil {
		return nil
	}
	texts := make([]string, len(*list))
	for i, text := range *list {
		if text == nil {
			b.Faults.Add(fmt.Sprintf("%s[%d]", name, i), "must be a string")
			continue
		}
		texts[i] = *text
	}
	return &texts
}

// units takes the object of units by metric; a null among them, where nullable, removes a unit.
func (b body) units(nullable bool) map[string]string {
	object := or(decode[map[string]*string](b, "units", "an object of strings", false), nil)
	units := make(map[string]string, len(object))
	for metric, unit := range object {
		if unit == nil && !nullable {
			b.Faults.Add("units."+metric, "must be a string")
		}
		units[metric] = or(unit, "")
	}
	return units
}

// days takes a whole number of days; null is series.GeneralRetention.
func (b body) days(name string) *int {
	if b.TakeNull(name) {
		general := series.GeneralRetention
		return &general
	}
	wanted := fmt.Sprintf("null or a whole number of days from 0 to %d", maxRetentionDays)
	days := decode[int](b, name, wanted, false)
	if days != nil && (*days < 0 || *days > maxRetentionDays) {
		b.Faults.Add(name, "must be %s", wanted)
		return nil
	}
	return days
}

// decode takes a member of type T. It returns nil when the member is absent or at fault; null is T's zero value where
// nullable.
func decode[T any](b body, name, wanted string, nullable bool) *T {
	if nullable {
		return httpapi.TakeNullable[T](b.Members, name, wanted)
	}
	return httpapi.Take[T](b.Members, name, wanted)
}

// err returns an Invalid fault with all that was wrong, unknown members included.
func (b body) err() error {
	b.Unknown()
	return b.Faults.Err()
}

func or[T any](value *T, absent T) T {
	if value == nil {
		return absent
	}
	return *value
}
