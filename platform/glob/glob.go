// Package glob matches names against patterns in the syntax of path.Match. Names contain no slash, so a star matches any
// characters. What such a text is called everywhere is a pattern; glob names the syntax.
//
// A match takes one step for each character of the name, whatever the pattern: 128 positions in a pattern are 128 bits, and one step
// moves all of them. Of many patterns only those are tried whose literal prefix the name has.
package glob

import (
	"errors"
	"path"
	"strings"
	"unicode/utf8"
)

// MaxLength is the most bytes of a pattern: as many as a device id or a metric has.
const MaxLength = 128

// Is reports whether the text is a pattern rather than a name: no name contains any of the characters that make a pattern.
func Is(text string) bool { return strings.ContainsAny(text, `*?[\`) }

// Check returns nil for a pattern, and otherwise an error that says why it is none, fit for a caller's eyes.
func Check(text string) error {
	if len(text) > MaxLength {
		return errors.New("must have at most 128 bytes")
	}
	if !utf8.ValidString(text) {
		return errors.New("must be valid UTF-8")
	}
	if _, err := path.Match(text, ""); err != nil {
		return errors.New(`is not a pattern: it has an open [ or ends with \`)
	}
	return nil
}

// Pattern is a compiled one. Its methods are safe for concurrent use.
type Pattern struct {
	prefix, suffix string    // literal ends; suffix only behind a star
	rest           *automata // what is in between; nil when anything may be
	exact          bool      // prefix is all there is
}

// Compile returns the pattern for a text that Check accepts, or for a name, which matches itself. Other texts match
// nothing.
func Compile(text string) Pattern {
	if Check(text) != nil {
		return Pattern{rest: &automata{}}
	}
	tokens := parse(text)
	prefix, tokens := literalPrefix(tokens)
	if len(tokens) == 0 {
		return Pattern{prefix: prefix, exact: true}
	}
	suffix, tokens := literalSuffix(tokens)
	p := Pattern{prefix: prefix, suffix: suffix}
	if len(tokens) != 1 || !tokens[0].star {
		p.rest = newAutomata(tokens)
	}
	return p
}

// Prefix returns the literal text that every name begins with which the pattern matches.
func (p Pattern) Prefix() string { return p.prefix }

// Match reports whether the pattern matches the whole name.
func (p Pattern) Match(name string) bool {
	if p.exact {
		return name == p.prefix
	}
	if len(name) < len(p.prefix)+len(p.suffix) || !strings.HasPrefix(name, p.prefix) || !strings.HasSuffix(name, p.suffix) {
		return false
	}
	return p.rest == nil || p.rest.match(name[len(p.prefix):len(name)-len(p.suffix)])
}

// literalPrefix takes the literal characters off that the tokens begin with.
func literalPrefix(tokens []token) (prefix string, rest []token) {
	var text strings.Builder
	for len(tokens) > 0 && tokens[0].literal() {
		text.WriteRune(tokens[0].rune)
		tokens = tokens[1:]
	}
	return text.String(), tokens
}

// literalSuffix takes the literal characters off that the tokens end with, behind a star.
func literalSuffix(tokens []token) (suffix string, rest []token) {
	n := len(tokens)
	for n > 0 && tokens[n-1].literal() {
		n--
	}
	if n == 0 || !tokens[n-1].star {
		return "", tokens
	}
	var text strings.Builder
	for _, t := range tokens[n:] {
		text.WriteRune(t.rune)
	}
	return text.String(), tokens[:n]
}
