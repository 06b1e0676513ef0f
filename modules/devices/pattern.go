package devices

import (
	"errors"
	"path"
	"strings"
)

// IsPattern reports whether the text is a pattern (in the syntax of path.Match) rather than an id: no id contains any of
// the characters that make a pattern.
func IsPattern(text string) bool { return strings.ContainsAny(text, `*?[\`) }

// ValidatePattern returns nil for a pattern, and otherwise an error that says why it is none, fit for a caller's eyes.
func ValidatePattern(text string) error {
	if _, err := path.Match(text, ""); err != nil {
		return errors.New(`is not a pattern: it has an open [ or ends with \`)
	}
	return nil
}

// MatchPattern reports whether the pattern, a valid one, matches the id.
func MatchPattern(pattern, id string) bool {
	matched, err := path.Match(pattern, id)
	return err == nil && matched
}
