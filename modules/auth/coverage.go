package auth

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"telltale/platform/fault"
	"telltale/platform/glob"
)

// The most device patterns that one user, key or token may carry, and the longest of them in bytes.
const (
	maxPatterns      = 1000
	maxPatternLength = glob.MaxLength
)

// matches reports whether the pattern, an id or a glob, covers the device.
func matches(pattern, device string) bool {
	return pattern == device || glob.Is(pattern) && glob.Compile(pattern).Match(device)
}

// patternFault says what is wrong with a device pattern, "" when nothing is.
func patternFault(pattern string) string {
	switch {
	case pattern == "":
		return "must not be empty"
	case len(pattern) > maxPatternLength:
		return "must have at most 128 bytes"
	case !utf8.ValidString(pattern) || strings.ContainsFunc(pattern, func(r rune) bool { return !unicode.IsGraphic(r) || unicode.IsSpace(r) }):
		return "must be printable text without spaces"
	case strings.Contains(pattern, "/"):
		return "must not contain a slash, which no device id does"
	}
	if glob.Check(pattern) != nil {
		return "is neither a device id nor a glob such as lab-*"
	}
	return ""
}

// coversAll reports whether every device that the patterns in narrow can ever match is matched by wide as well. Nil means
// every device on either side. It errs on the side of false where globs overlap in ways that it does not follow.
func coversAll(wide, narrow []string) bool {
	if wide == nil {
		return true
	}
	if narrow == nil {
		return false
	}
	return !slices.ContainsFunc(narrow, func(pattern string) bool {
		return !slices.ContainsFunc(wide, func(w string) bool { return glob.Subsumes(w, pattern) })
	})
}

// requireCoverage returns a Forbidden fault when the principal would hand out devices beyond its own.
func requireCoverage(p Principal, devices []string) error {
	if coversAll(p.Devices, devices) {
		return nil
	}
	return fault.New(fault.Forbidden, "you can only grant devices that your own credentials cover: name them in devices")
}

// covered is whatever a list narrows to what an administrator may see: users and keys.
type covered interface {
	place() string // where it stands in the order of the list
	covers() []string
}

// visible collects up to limit entries whose devices the principal covers from pages of them. Nothing of the others
// shows, not even in where a page ends.
func visible[T covered](by Principal, after string, limit int, page func(after string, limit int) ([]T, error)) (seen []T, more bool, err error) {
	for {
		entries, err := page(after, limit)
		if err != nil {
			return nil, false, err
		}
		for _, entry := range entries {
			after = entry.place()
			if coversAll(by.Devices, entry.covers()) {
				seen = append(seen, entry)
			}
			if len(seen) == limit {
				return seen, true, nil
			}
		}
		if len(entries) < limit {
			return seen, false, nil
		}
	}
}

func (u User) place() string      { return u.Username }
func (u User) covers() []string   { return u.Devices }
func (k APIKey) place() string    { return k.ID }
func (k APIKey) covers() []string { return k.Devices }
