package payload

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"unicode/utf8"

	"telltale/modules/readings/decimal"
)

// maxDepth bounds the nesting of JSON, and with it the stack; a valid body needs four levels.
const maxDepth = 64

// scanner reads the tokens of JSON (RFC 8259). Its methods return false after a syntax error, which then stands in problem.
type scanner struct {
	data []byte
	pos  int

	// problem says what is wrong at problemAt; empty while all is well.
	problem   string
	problemAt int

	// form tells about the last string.
	form form
	// unescaped holds the last string that had escapes in it.
	unescaped []byte
}

// form says what is odd about a string.
type form uint8

const (
	// escaped strings stand in the scanner's buffer, not in the data.
	escaped form = 1 << iota
	// notUnicode strings have invalid UTF-8 or half a surrogate pair in them: sound syntax, but no name.
	notUnicode
)

func (s *scanner) reset(data []byte) {
	*s = scanner{data: data, unescaped: s.unescaped[:0]}
}

// fail records a syntax error at the position given.
func (s *scanner) fail(at int, format string, args ...any) bool {
	if s.problem == "" {
		s.problem, s.problemAt = fmt.Sprintf(format, args...), at
	}
	return false
}

// unexpected records that what stands at pos is not what the grammar wants there.
func (s *scanner) unexpected(want string) bool {
	if s.pos >= len(s.data) {
		return s.fail(s.pos, "unexpected end, expected %s", want)
	}
	_, size := utf8.DecodeRune(s.data[s.pos:])
	return s.fail(s.pos, "unexpected %s, expected %s", quote(s.data[s.pos:s.pos+size]), want)
}

// peek skips white space and returns the next byte, 0 at the end (which no token begins with).
func (s *scanner) peek() byte {
	data, i := s.data, s.pos
	for i < len(data) {
		c := data[i]
		if c > ' ' || (c != ' ' && c != '\n' && c != '\r' && c != '\t') {
			s.pos = i
			return c
		}
		i++
	}
	s.pos = i
	return 0
}

// expect consumes the byte given.
func (s *scanner) expect(c byte, want string) bool {
	if s.peek() != c {
		return s.unexpected(want)
	}
	s.pos++
	return true
}

// key consumes an object's key and the colon after it.
func (s *scanner) key() ([]byte, bool) {
	if s.peek() != '"' {
		return nil, s.unexpected("a key in quotes")
	}
	key, ok := s.text()
	if !ok {
		return nil, false
	}
	if s.pos < len(s.data) && s.data[s.pos] == ':' {
		s.pos++
		return key, true
	}
	return key, s.expect(':', "a colon")
}

// more consumes what follows a member: a comma (true) or the end given (false). Not ok is a syntax error.
func (s *scanner) more(end byte) (more, ok bool) {
	switch s.peek() {
	case ',':
		s.pos++
		return true, true
	case end:
		s.pos++
		return false, true
	}
	return false, s.unexpected("a comma or " + string(end))
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// special marks the bytes of eight that are not plain string content: quotes, backslashes, control characters and all
// beyond ASCII. Bytes above the lowest mark may be marked by mistake.
func special(w uint64) uint64 {
	quotes, slashes := w^(ones*'"'), w^(ones*'\\')
	return (w | (w-ones*0x20)&^w | (quotes-ones)&^quotes | (slashes-ones)&^slashes) & highs
}

// text consumes the string that begins at pos. The result is a part of data, or of the scanner's own buffer if it had
// escapes; then it is valid until the next string only.
func (s *scanner) text() ([]byte, bool) {
	data, start := s.data, s.pos+1
	i := start
	for i+8 <= len(data) {
		if m := special(binary.LittleEndian.Uint64(data[i:])); m != 0 {
			i += bits.TrailingZeros64(m) >> 3
			break
		}
		i += 8
	}
	if i < len(data) && data[i] == '"' {
		s.pos, s.form = i+1, 0
		return data[start:i], true
	}
	return s.oddText(start, i)
}

// oddText consumes a string that begins at start, has something special at i or is near the end of the data.
func (s *scanner) oddText(start, i int) ([]byte, bool) {
	data, ascii := s.data, true
	for ; i < len(data); i++ {
		switch c := data[i]; {
		case c == '"':
			s.pos, s.form = i+1, 0
			if !ascii && !utf8.Valid(data[start:i]) {
				s.form = notUnicode
			}
			return data[start:i], true
		case c == '\\':
			return s.escapedText(start, i)
		case c < ' ':
			return nil, s.fail(i, "control character in a string")
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	return nil, s.fail(i, "unexpected end within a string")
}

var wordTrue, wordFalse, wordNull = []byte("true"), []byte("false"), []byte("null")

// word consumes true, false or null.
func (s *scanner) word(word []byte) bool {
	if !bytes.HasPrefix(s.data[s.pos:], word) {
		return s.unexpected("a value")
	}
	s.pos += len(word)
	return true
}

// skip consumes one value of any kind.
func (s *scanner) skip(depth int) bool {
	switch c := s.peek(); {
	case c == '"':
		_, ok := s.text()
		return ok
	case c == 't':
		return s.word(wordTrue)
	case c == 'f':
		return s.word(wordFalse)
	case c == 'n':
		return s.word(wordNull)
	case c == '-' || isDigit(c):
		_, _, ok := s.number()
		return ok
	case c != '{' && c != '[':
		return s.unexpected("a value")
	case depth >= maxDepth:
		return s.fail(s.pos, "nested more than %d levels deep", maxDepth)
	case c == '{':
		return s.skipObject(depth)
	default:
		return s.skipArray(depth)
	}
}

func (s *scanner) skipObject(depth int) bool {
	s.pos++
	if s.peek() == '}' {
		s.pos++
		return true
	}
	for {
		if _, ok := s.key(); !ok || !s.skip(depth+1) {
			return false
		}
		if more, ok := s.more('}'); !more || !ok {
			return ok
		}
	}
}

func (s *scanner) skipArray(depth int) bool {
	s.pos++
	if s.peek() == ']' {
		s.pos++
		return true
	}
	for {
		if !s.skip(depth + 1) {
			return false
		}
		if more, ok := s.more(']'); !more || !ok {
			return ok
		}
	}
}

// number consumes a number. Finite is false for one that a float64 cannot hold, not ok for a syntax error.
func (s *scanner) number() (v float64, finite, ok bool) {
	v, next, ok := decimal.Parse(s.data, s.pos)
	if !ok {
		s.pos = next
		return 0, false, s.unexpected("a digit")
	}
	s.pos = next
	return v, !math.IsInf(v, 0), true
}

func isDigit(c byte) bool { return c-'0' <= 9 }
