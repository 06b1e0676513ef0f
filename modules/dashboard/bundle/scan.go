package bundle

import (
	"slices"
	"strings"
)

// kind is what a token is, as far as imports and exports have to know.
type kind int

const (
	word    kind = iota // a name, a keyword or a number
	mark                // one character of punctuation
	text                // a string with its quotes
	piece               // a part of a template literal, or a regular expression
	comment             // with its slashes
)

// token is a piece of the source that is no space.
type token struct {
	kind       kind
	start, end int
	line       int
	depth      int // how many brackets around it are open
}

// scanner splits JavaScript into tokens. It knows no grammar: only where a string, a template literal, a comment or a regular
// expression begins and ends, so that nothing in them is taken for code.
type scanner struct {
	file     string
	src      string
	at, line int
	open     []byte // brackets, and '`' for the ${ of a template
	tokens   []token
}

// scan returns the tokens of a file in their order.
func scan(file, src string) ([]token, error) {
	s := &scanner{file: file, src: src, line: 1}
	for s.skipSpace(); s.at < len(s.src); s.skipSpace() {
		if err := s.next(); err != nil {
			return nil, err
		}
	}
	if len(s.open) > 0 {
		return nil, faultAt(file, s.line, "the file ends while %q is open", s.open[len(s.open)-1])
	}
	return s.tokens, nil
}

func (s *scanner) skipSpace() {
	for ; s.at < len(s.src) && strings.IndexByte(" \t\r\n", s.src[s.at]) >= 0; s.at++ {
		if s.src[s.at] == '\n' {
			s.line++
		}
	}
}

// next reads one token, of which there is at least a byte.
func (s *scanner) next() error {
	rest := s.src[s.at:]
	switch c := rest[0]; {
	case strings.HasPrefix(rest, "//"):
		line, _, _ := strings.Cut(rest, "\n")
		s.add(comment, len(line))
	case strings.HasPrefix(rest, "/*"):
		return s.until(comment, "*/", 2, "a comment")
	case c == '"' || c == '\'':
		return s.quoted(text, c, "a string")
	case c == '`':
		return s.template()
	case c == '/' && s.startsExpression():
		return s.regexp()
	case strings.IndexByte("([{", c) >= 0:
		s.add(mark, 1)
		s.open = append(s.open, c)
	case strings.IndexByte(")]}", c) >= 0:
		return s.close(c)
	case isWord(c):
		n := 1
		for n < len(rest) && isWord(rest[n]) {
			n++
		}
		s.add(word, n)
	default:
		s.add(mark, 1)
	}
	return nil
}

func (s *scanner) add(k kind, length int) {
	s.tokens = append(s.tokens, token{k, s.at, s.at + length, s.line, len(s.open)})
	s.line += strings.Count(s.src[s.at:s.at+length], "\n")
	s.at += length
}

// until adds a token that ends with the text given, looked for behind the bytes that begin it.
func (s *scanner) until(k kind, end string, begin int, what string) error {
	n := strings.Index(s.src[s.at+begin:], end)
	if n < 0 {
		return faultAt(s.file, s.line, "%s is not closed", what)
	}
	s.add(k, begin+n+len(end))
	return nil
}

// quoted adds a token that ends with its quote, on the line on which it begins.
func (s *scanner) quoted(k kind, quote byte, what string) error {
	for n := 1; s.at+n < len(s.src); n++ {
		switch s.src[s.at+n] {
		case quote:
			s.add(k, n+1)
			return nil
		case '\\':
			n++
		case '\n':
			return faultAt(s.file, s.line, "%s is not closed", what)
		}
	}
	return faultAt(s.file, s.line, "%s is not closed", what)
}

// template adds the part of a template literal that begins here, with ` or with the } that ends an expression in it: up to
// the next expression, or to the literal's end.
func (s *scanner) template() error {
	for n := 1; s.at+n < len(s.src); n++ {
		switch {
		case s.src[s.at+n] == '\\':
			n++
		case s.src[s.at+n] == '`':
			s.add(piece, n+1)
			return nil
		case strings.HasPrefix(s.src[s.at+n:], "${"):
			s.add(piece, n+2)
			s.open = append(s.open, '`')
			return nil
		}
	}
	return faultAt(s.file, s.line, "a template literal is not closed")
}

func (s *scanner) close(c byte) error {
	if len(s.open) == 0 || strings.IndexByte(closes[c], s.open[len(s.open)-1]) < 0 {
		return faultAt(s.file, s.line, "%q closes nothing", c)
	}
	opened := s.open[len(s.open)-1]
	s.open = s.open[:len(s.open)-1]
	if opened == '`' {
		return s.template()
	}
	s.add(mark, 1)
	return nil
}

// closes says what each bracket closes.
var closes = map[byte]string{')': "(", ']': "[", '}': "{`"}

// regexp adds a regular expression. Its flags are a word of their own.
func (s *scanner) regexp() error {
	class := false
	for n := 1; s.at+n < len(s.src); n++ {
		switch c := s.src[s.at+n]; {
		case c == '\\':
			n++
		case c == '\n':
			return faultAt(s.file, s.line, "a regular expression is not closed")
		case c == '[':
			class = true
		case c == ']':
			class = false
		case c == '/' && !class:
			s.add(piece, n+1)
			return nil
		}
	}
	return faultAt(s.file, s.line, "a regular expression is not closed")
}

// expressionWords are keywords behind which an expression begins, so that a slash there is a regular expression's.
var expressionWords = []string{"return", "typeof", "case", "do", "else", "in", "instanceof", "new", "void", "delete", "throw", "yield", "await", "of"}

// startsExpression reports whether a slash here begins a regular expression: it divides behind a value. A regular expression
// that begins a statement behind a block or a condition would be taken for a division; write it into a constant.
func (s *scanner) startsExpression() bool {
	n := len(s.tokens) - 1
	for n >= 0 && s.tokens[n].kind == comment {
		n--
	}
	if n < 0 {
		return true
	}
	switch last := s.src[s.tokens[n].start:s.tokens[n].end]; s.tokens[n].kind {
	case word:
		property := n > 0 && s.src[s.tokens[n-1].start] == '.'
		return slices.Contains(expressionWords, last) && !property
	case mark:
		twice := s.tokens[n].start > 0 && s.src[s.tokens[n].start-1] == last[0]
		increment := twice && (last == "+" || last == "-")
		return !increment && last != ")" && last != "]" && last != "}"
	case piece:
		return strings.HasSuffix(last, "${")
	default:
		return false
	}
}

func isWord(c byte) bool {
	return c == '_' || c == '$' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}
