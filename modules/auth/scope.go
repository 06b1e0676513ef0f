package auth

import (
	"slices"
	"strings"
)

// scopeFaults names the entries that are no scope.
func scopeFaults(scopes []Scope) (unknown []string) {
	for _, scope := range scopes {
		if !slices.Contains(AllScopes(), scope) {
			unknown = append(unknown, string(scope))
		}
	}
	return unknown
}

// splitScopes reads the space-separated form that OAuth2 uses.
func splitScopes(text string) []Scope {
	fields := strings.Fields(text)
	scopes := make([]Scope, len(fields))
	for i, field := range fields {
		scopes[i] = Scope(field)
	}
	return scopes
}

// joinScopes writes the space-separated form that OAuth2 uses.
func joinScopes(scopes []Scope) string {
	texts := make([]string, len(scopes))
	for i, scope := range scopes {
		texts[i] = string(scope)
	}
	return strings.Join(texts, " ")
}

// sortedScopes returns each scope once, in the order of AllScopes; what is no scope is left out.
func sortedScopes(scopes []Scope) []Scope {
	known := make([]Scope, 0, len(scopes))
	for _, scope := range AllScopes() {
		if slices.Contains(scopes, scope) {
			known = append(known, scope)
		}
	}
	return known
}

// allowedScopes returns those of the scopes that the holder has, or that its admin scope covers.
func allowedScopes(holder []Scope, scopes []Scope) []Scope {
	have := Principal{Scopes: holder}
	return slices.DeleteFunc(slices.Clone(scopes), func(scope Scope) bool { return !have.Can(scope) })
}
