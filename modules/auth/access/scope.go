package access

import (
	"slices"
	"strings"
)

// Scope is one permission of a token.
type Scope string

// The scopes. Admin covers every other one.
const (
	DevicesRead   Scope = "devices:read"
	DevicesWrite  Scope = "devices:write"
	ReadingsRead  Scope = "readings:read"
	ReadingsWrite Scope = "readings:write"
	// ReadingsDelete takes stored readings away. Who writes readings need not have it.
	ReadingsDelete Scope = "readings:delete"
	Admin          Scope = "admin"
)

// AllScopes lists every scope there is, in the order in which they are shown.
func AllScopes() []Scope {
	return []Scope{DevicesRead, DevicesWrite, ReadingsRead, ReadingsWrite, ReadingsDelete, Admin}
}

// KnownScopes reports whether every entry is a scope.
func KnownScopes(scopes []Scope) bool {
	return !slices.ContainsFunc(scopes, func(scope Scope) bool { return !slices.Contains(AllScopes(), scope) })
}

// SplitScopes reads the space-separated form that OAuth2 uses. Not every entry has to be a scope.
func SplitScopes(text string) []Scope {
	fields := strings.Fields(text)
	scopes := make([]Scope, len(fields))
	for i, field := range fields {
		scopes[i] = Scope(field)
	}
	return scopes
}

// JoinScopes writes the space-separated form that OAuth2 uses.
func JoinScopes(scopes []Scope) string {
	texts := make([]string, len(scopes))
	for i, scope := range scopes {
		texts[i] = string(scope)
	}
	return strings.Join(texts, " ")
}

// SortedScopes returns each scope once, in the order of AllScopes; what is no scope is left out.
func SortedScopes(scopes []Scope) []Scope {
	known := make([]Scope, 0, len(scopes))
	for _, scope := range AllScopes() {
		if slices.Contains(scopes, scope) {
			known = append(known, scope)
		}
	}
	return known
}
