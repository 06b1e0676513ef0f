package auth

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"telltale/platform/fault"
)

// maxBody is far above what a valid request can need.
const maxBody = 256 << 10

// faults collects everything that is wrong with a request.
type faults []fault.Field

func (f *faults) add(name, format string, args ...any) {
	*f = append(*f, fault.Field{Name: name, Reason: fmt.Sprintf(format, args...)})
}

// check adds the reason unless it is empty.
func (f *faults) check(name, reason string) {
	if reason != "" {
		f.add(name, "%s", reason)
	}
}

// err returns an Invalid fault with all that was added, nil when nothing was.
func (f faults) err() error {
	if len(f) == 0 {
		return nil
	}
	return fault.InvalidFields(f...)
}

// members is a JSON object whose members are taken out one by one, so that absent, null and unknown ones can be told
// apart. No reason ever quotes a value: it may be a password.
type members struct {
	raw    map[string]json.RawMessage
	faults faults
}

// readMembers returns the request's body, which has to be a JSON object.
func readMembers(c *fiber.Ctx) (*members, error) {
	raw, err := readBody(c, fiber.MIMEApplicationJSON)
	if err != nil {
		return nil, err
	}
	m := &members{}
	if !utf8.Valid(raw) || !bytes.HasPrefix(bytes.TrimLeft(raw, " \t\r\n"), []byte("{")) || json.Unmarshal(raw, &m.raw) != nil {
		return nil, fault.InvalidField("body", "must be a JSON object in UTF-8")
	}
	return m, nil
}

// readBody returns the request's body when it is of the media type and not too long. It lasts as long as the request.
func readBody(c *fiber.Ctx, mediaType string) ([]byte, error) {
	given, params, err := mime.ParseMediaType(string(c.Request().Header.ContentType()))
	charset := params["charset"]
	if err != nil || given != mediaType || charset != "" && !strings.EqualFold(charset, "utf-8") {
		return nil, fault.New(fault.UnsupportedMedia, "the body must be %s", mediaType)
	}
	if encoding := c.Get(fiber.HeaderContentEncoding); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return nil, fault.New(fault.UnsupportedMedia, "the body must not be compressed")
	}
	raw := c.Request().Body()
	if len(raw) > maxBody {
		return nil, fault.New(fault.TooLarge, "the body must have at most %d bytes", maxBody)
	}
	return raw, nil
}

// take decodes a member of type T; it returns nil when the member is absent or at fault. Null is a fault.
func take[T any](m *members, name, wanted string) *T {
	raw, given := m.raw[name]
	delete(m.raw, name)
	if !given {
		return nil
	}
	var value *T
	if json.Unmarshal(raw, &value) != nil || value == nil {
		m.faults.add(name, "must be %s", wanted)
		return nil
	}
	return value
}

// takeNullable is take, but null gives T's zero value.
func takeNullable[T any](m *members, name, wanted string) *T {
	if string(m.raw[name]) == "null" {
		delete(m.raw, name)
		return new(T)
	}
	return take[T](m, name, wanted)
}

// needed is take for a member that must be there; without it the result is T's zero value, and a fault noted.
func needed[T any](m *members, name, wanted string) T {
	if _, given := m.raw[name]; !given {
		m.faults.add(name, "is required")
	}
	return or(take[T](m, name, wanted))
}

// or returns what the pointer points to, or T's zero value.
func or[T any](value *T) T {
	if value == nil {
		return *new(T)
	}
	return *value
}

// unknown notes every member that nobody has taken.
func (m *members) unknown() {
	for _, name := range slices.Sorted(maps.Keys(m.raw)) {
		m.faults.add(name, "is not a field here")
	}
}

// patternList is an array of strings, none of them null.
type patternList []string

func (l *patternList) UnmarshalJSON(data []byte) (err error) {
	*l, err = stringList(data)
	return err
}
