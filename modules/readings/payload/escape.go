package payload

import (
	"unicode/utf16"
	"unicode/utf8"
)

// escapedText consumes a string that begins at start and has its first backslash at i.
func (s *scanner) escapedText(start, i int) ([]byte, bool) {
	data := s.data
	out := append(s.unescaped[:0], data[start:i]...)
	s.form = escaped
	for i < len(data) {
		c := data[i]
		switch {
		case c == '"':
			s.pos, s.unescaped = i+1, out
			if !utf8.Valid(out) {
				s.form |= notUnicode
			}
			return out, true
		case c < ' ':
			return nil, s.fail(i, "control character in a string")
		case c != '\\':
			out = append(out, c)
			i++
		default:
			var ok bool
			if out, i, ok = s.escape(out, i+1); !ok {
				return nil, false
			}
		}
	}
	return nil, s.fail(i, "unexpected end within a string")
}

// escape appends what the escape whose backslash stands before i means, and returns the position after it.
func (s *scanner) escape(out []byte, i int) ([]byte, int, bool) {
	if i >= len(s.data) {
		return nil, 0, s.fail(i, "unexpected end within a string")
	}
	switch c := s.data[i]; c {
	case '"', '\\', '/':
		return append(out, c), i + 1, true
	case 'b':
		return append(out, '\b'), i + 1, true
	case 'f':
		return append(out, '\f'), i + 1, true
	case 'n':
		return append(out, '\n'), i + 1, true
	case 'r':
		return append(out, '\r'), i + 1, true
	case 't':
		return append(out, '\t'), i + 1, true
	case 'u':
		return s.escapedRune(out, i+1)
	}
	return nil, 0, s.fail(i, "unknown escape in a string")
}

// escapedRune appends the character that the four hexadecimal digits at i stand for, with its second half if it has one.
func (s *scanner) escapedRune(out []byte, i int) ([]byte, int, bool) {
	r, ok := hex4(s.data, i)
	if !ok {
		return nil, 0, s.fail(i, "expected four hexadecimal digits after \\u")
	}
	i += 4
	if utf16.IsSurrogate(r) {
		pair := rune(utf8.RuneError)
		if i+2 <= len(s.data) && s.data[i] == '\\' && s.data[i+1] == 'u' {
			if low, ok := hex4(s.data, i+2); ok {
				pair = utf16.DecodeRune(r, low)
			}
		}
		if pair == utf8.RuneError {
			s.form |= notUnicode // half a pair is not Unicode
		} else {
			i += 6
		}
		r = pair
	}
	return utf8.AppendRune(out, r), i, true
}

// hex4 reads four hexadecimal digits at i.
func hex4(data []byte, i int) (rune, bool) {
	if i+4 > len(data) {
		return 0, false
	}
	var r rune
	for _, c := range data[i : i+4] {
		switch {
		case isDigit(c):
			c -= '0'
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
