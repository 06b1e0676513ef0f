package glob

import "unicode/utf8"

// token is one piece of a pattern: a star, or what stands for one character.
type token struct {
	star bool
	any  bool // a question mark
	rune rune // a literal character, unless class is set
	// class are pairs of first and last characters; nil for none.
	class   []rune
	negated bool
}

func (t token) literal() bool { return !t.star && !t.any && t.class == nil }

// admits reports whether the token, not a star, stands for the character.
func (t token) admits(r rune) bool {
	if t.any || t.class == nil {
		return t.any || t.rune == r
	}
	for i := 0; i < len(t.class); i += 2 {
		if t.class[i] <= r && r <= t.class[i+1] {
			return !t.negated
		}
	}
	return t.negated
}

// parse splits a valid pattern. Several stars in a row are one.
func parse(text string) (tokens []token) {
	for len(text) > 0 {
		switch text[0] {
		case '*':
			if len(tokens) == 0 || !tokens[len(tokens)-1].star {
				tokens = append(tokens, token{star: true})
			}
			text = text[1:]
		case '?':
			tokens, text = append(tokens, token{any: true}), text[1:]
		case '[':
			var t token
			t, text = parseClass(text[1:])
			tokens = append(tokens, t)
		default:
			var r rune
			r, text = parseRune(text)
			tokens = append(tokens, token{rune: r})
		}
	}
	return tokens
}

// parseClass reads a class up to its end, from behind its bracket on.
func parseClass(text string) (t token, rest string) {
	if t.negated = text[0] == '^'; t.negated {
		text = text[1:]
	}
	for len(t.class) == 0 || text[0] != ']' {
		var first, last rune
		first, text = parseRune(text)
		if last = first; text[0] == '-' {
			last, text = parseRune(text[1:])
		}
		t.class = append(t.class, first, last)
	}
	return t, text[1:]
}

// parseRune reads a character, which may be escaped.
func parseRune(text string) (r rune, rest string) {
	if text[0] == '\\' {
		text = text[1:]
	}
	r, size := utf8.DecodeRuneInString(text)
	return r, text[size:]
}
