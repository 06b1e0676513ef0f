package devices

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The limits of what an owner may say of a device.
const (
	maxWordBytes   = 128 // of an id or a tag
	maxMetricBytes = 512 // of a metric's name, in which tags of line protocol may stand
	maxNameRunes   = 200
	maxUnitRunes   = 32
	maxTags        = 50
	maxUnits       = 100 // in one request
)

// reserved has a meaning in URLs, patterns, CSV or JSON, so that ids and names of metrics without it need no quoting there.
const reserved = `/\*?[],"'`

// ValidateID returns nil for a device id, and otherwise an error that says why it is none, fit for a caller's eyes.
//
// An id has 1 to 128 bytes of printable UTF-8 without spaces and without any of / \ * ? [ ] , " ' and is neither . nor
// .. (both mean something else in a URL).
func ValidateID(id string) error { return validateWord(id, maxWordBytes) }

// ValidateMetric returns nil for the name of a metric, and otherwise an error that says why it is none. The rule is the
// one for ids, but for the length: a name has up to 512 bytes.
func ValidateMetric(name string) error { return validateWord(name, maxMetricBytes) }

// ValidateTag returns nil for a tag, and otherwise an error that says why it is none. The rule is the one for ids.
func ValidateTag(tag string) error { return ValidateID(tag) }

func validateWord(word string, most int) error {
	switch {
	case word == "." || word == "..":
		return errors.New("must not be one or two dots")
	case len(word) == 0 || len(word) > most:
		return fmt.Errorf("must be 1 to %d bytes long", most)
	}
	for i := 0; i < len(word); {
		r, size := utf8.DecodeRuneInString(word[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			return errors.New("must be valid UTF-8")
		case r == ' ' || !unicode.IsPrint(r):
			return fmt.Errorf("must not contain spaces or unprintable characters such as %U", r)
		case strings.ContainsRune(reserved, r):
			return errors.New("must not contain any of / \\ * ? [ ] , \" '")
		}
		i += size
	}
	return nil
}

func validateName(name string) error { return validateText(name, maxNameRunes) }

func validateUnit(unit string) error { return validateText(unit, maxUnitRunes) }

// validateText accepts what a person may read on one line.
func validateText(text string, maxRunes int) error {
	switch {
	case !utf8.ValidString(text):
		return errors.New("must be valid UTF-8")
	case utf8.RuneCountInString(text) > maxRunes:
		return fmt.Errorf("must be at most %d characters long", maxRunes)
	case strings.ContainsFunc(text, unicode.IsControl):
		return errors.New("must not contain control characters")
	}
	return nil
}
