package access

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"telltale/platform/fault"
	"telltale/platform/glob"
)

// MaxPatterns is how many device patterns one user, key or token may carry.
const MaxPatterns = 1000

// matches reports whether the pattern, which may be an id, covers the device.
func matches(pattern, device string) bool {
	return pattern == device || glob.Is(pattern) && glob.Compile(pattern).Match(device)
}

// PatternFault says what is wrong with a device pattern, "" when nothing is.
func PatternFault(pattern string) string {
	switch {
	case pattern == "":
		return "must not be empty"
	case len(pattern) > glob.MaxLength:
		return "must have at most 128 bytes"
	case !utf8.ValidString(pattern) || strings.ContainsFunc(pattern, func(r rune) bool { return !unicode.IsGraphic(r) || unicode.IsSpace(r) }):
		return "must be printable text without spaces"
	case strings.Contains(pattern, "/"):
		return "must not contain a slash, which no device id does"
	}
	if glob.Check(pattern) != nil {
		return "is neither a device id nor a pattern such as lab-*"
	}
	return ""
}

// GrantFaults notes everything that is wrong with the scopes and the devices of a user or key.
func GrantFaults(wrong *fault.Fields, scopes []Scope, devices []string) {
	if !KnownScopes(scopes) {
		wrong.Add("scopes", "must be among: %s", JoinScopes(AllScopes()))
	}
	if len(devices) > MaxPatterns {
		wrong.Add("devices", "must have at most %d entries", MaxPatterns)
		return
	}
	for i, pattern := range devices {
		if reason := PatternFault(pattern); reason != "" {
			wrong.Add(fmt.Sprintf("devices[%d]", i), "%s", reason)
		}
	}
}

// coversAll reports whether every device that the patterns in narrow can ever match is matched by wide as well. Nil means
// every device on either side.
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

// Visible collects up to limit entries whose devices the principal covers from pages of them, and says whether there may be more.
// Of tells an entry's key in the order of the list, and its devices. Nothing of the others shows, not even in where a page ends.
func Visible[T any](
	by Principal, after string, limit int, page func(after string, limit int) ([]T, error), of func(T) (key string, devices []string),
) (seen []T, more bool, err error) {
	for {
		entries, err := page(after, limit)
		if err != nil {
			return nil, false, err
		}
		for _, entry := range entries {
			var devices []string
			if after, devices = of(entry); by.CoversAll(devices) {
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
