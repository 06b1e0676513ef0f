package httpapi

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"telltale/platform/fault"
)

// Query reads the parameters of one call, and collects everything that is wrong with them. Its methods note a fault of the
// parameter they read, and return what they return for an absent one then.
type Query struct {
	Faults fault.Fields

	values url.Values
	known  Parameters
}

// Fail notes what is wrong with a parameter.
func (q *Query) Fail(name, format string, args ...any) { q.Faults.Add(name, format, args...) }

// Err returns an Invalid fault with what was noted, in order of the parameters' names; nil when nothing was.
func (q *Query) Err() error {
	err := q.Faults.Err()
	if f := fault.As(err); f != nil {
		slices.SortStableFunc(f.Fields, func(a, b fault.Field) int { return strings.Compare(a.Name, b.Name) })
	}
	return err
}

// All returns every value of a parameter, empty ones too; nil when it is absent.
func (q *Query) All(name string) []string {
	if _, ok := q.known.find(name); !ok {
		panic("httpapi: the parameter " + name + " is read, but its call does not take it")
	}
	return q.values[name]
}

// Has reports whether the parameter is given, empty or not.
func (q *Query) Has(name string) bool {
	_ = q.All(name)
	return q.values.Has(name)
}

// First returns the first value of a parameter, which may be empty.
func (q *Query) First(name string) string {
	if all := q.All(name); len(all) > 0 {
		return all[0]
	}
	return ""
}

// Text returns the first value of a parameter that must not be empty; "" when it is absent.
func (q *Query) Text(name string) string {
	text := q.First(name)
	if text == "" && q.Has(name) {
		q.Fail(name, "must not be empty")
	}
	return text
}

// Words returns the words of a parameter that may be repeated or list several with commas: each once, in the order given,
// nil when there are none. More words than most are a fault.
func (q *Query) Words(name string, most int) []string {
	var words []string
	seen := map[string]bool{}
	for _, value := range q.All(name) {
		for word := range strings.SplitSeq(value, ",") {
			switch {
			case word == "":
				q.Fail(name, "must not be empty")
			case !seen[word]:
				seen[word] = true
				words = append(words, word)
			}
		}
	}
	if len(words) > most {
		q.Fail(name, "must be given at most %d times, not %d", most, len(words))
	}
	return words
}

// Number returns a whole number from least to most.
func (q *Query) Number(name string, absent, least, most int) int {
	text := q.Text(name)
	if text == "" {
		return absent
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		q.Fail(name, "must be a number from %d to %d, not %.140q", least, most, text)
		return absent
	}
	return n
}

// Flag returns a boolean, which is false when it is absent.
func (q *Query) Flag(name string) bool { return OneOf(q, name, "false", "true", "false") == "true" }

// OneOf returns one of the words allowed.
func OneOf[T ~string](q *Query, name string, absent T, allowed ...T) T {
	text := T(q.Text(name))
	switch {
	case text == "":
		return absent
	case slices.Contains(allowed, text):
		return text
	}
	q.Fail(name, "must be %s, not %.140q", listed(allowed), string(text))
	return absent
}

// listed writes words as "a, b or c".
func listed[T ~string](words []T) string {
	var text strings.Builder
	for i, word := range words {
		switch {
		case i > 0 && i == len(words)-1:
			text.WriteString(" or ")
		case i > 0:
			text.WriteString(", ")
		}
		text.WriteString(string(word))
	}
	return text.String()
}

// Parsed returns what parse makes of a parameter, such as an instant or a duration. The error of parse says what the
// parameter must be.
func Parsed[T any](q *Query, name string, absent T, parse func(text string) (T, error)) T {
	text := q.Text(name)
	if text == "" {
		return absent
	}
	value, err := parse(text)
	if err != nil {
		q.Fail(name, "%s, not %.140q", err, text)
		return absent
	}
	return value
}
