package httpapi

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/gofiber/fiber/v2"

	"telltale/platform/fault"
)

// Members is a JSON object whose members are taken out one by one, so that absent, null and unknown ones can be told apart.
// No reason that it notes quotes a value: it may be a password.
type Members struct {
	// Faults is what was wrong with the members taken, and what their reader adds.
	Faults fault.Fields

	raw map[string]json.RawMessage
}

// ReadMembers returns the request's body as ReadObject does.
func ReadMembers(c *fiber.Ctx, most int, mediaTypes ...string) (*Members, error) {
	raw, err := ReadObject[json.RawMessage](c, most, mediaTypes...)
	return &Members{raw: raw}, err
}

// MembersOf returns the members of an object within a body, and false for what is no object.
func MembersOf(raw json.RawMessage) (*Members, bool) {
	var object map[string]json.RawMessage
	if json.Unmarshal(raw, &object) != nil || object == nil {
		return nil, false
	}
	return &Members{raw: object}, true
}

// Require notes each of the members that is absent.
func (m *Members) Require(names ...string) {
	for _, name := range names {
		if m.raw[name] == nil {
			m.Faults.Add(name, "is required")
		}
	}
}

// TakeRaw takes a member as it is written; the result is nil when it is absent.
func (m *Members) TakeRaw(name string) json.RawMessage {
	raw := m.raw[name]
	delete(m.raw, name)
	return raw
}

// TakeNull takes a member if it is null, and reports whether it was.
func (m *Members) TakeNull(name string) bool {
	null := string(m.raw[name]) == "null"
	if null {
		delete(m.raw, name)
	}
	return null
}

// Take decodes a member of type T; it returns nil when the member is absent or at fault. Null is a fault. Wanted says what
// the member must be.
func Take[T any](m *Members, name, wanted string) *T {
	raw := m.TakeRaw(name)
	if raw == nil {
		return nil
	}
	var value *T
	if json.Unmarshal(raw, &value) != nil || value == nil {
		m.Faults.Add(name, "must be %s", wanted)
		return nil
	}
	return value
}

// TakeNullable is Take, but null gives T's zero value.
func TakeNullable[T any](m *Members, name, wanted string) *T {
	if m.TakeNull(name) {
		return new(T)
	}
	return Take[T](m, name, wanted)
}

// Unknown notes every member that was not taken.
func (m *Members) Unknown() {
	for _, name := range slices.Sorted(maps.Keys(m.raw)) {
		m.Faults.Add(name, "is not a field here")
	}
}
