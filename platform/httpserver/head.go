package httpserver

import (
	"bytes"
	"errors"
)

// errMalformedHead ends a connection whose bytes can be read as more than one sequence of requests.
var errMalformedHead = errors.New("the head of the request is not well-formed")

// headScanner finds where the head of a request ends, so that fasthttp is given this much and no more: what follows is the
// body, which is read for those with credentials only, or the next request. It refuses what others than fasthttp may divide
// into lines differently: a line feed or a carriage return on its own, and a line that continues the one before.
//
// The zero value waits for a request. A line costs two searches for a byte.
type headScanner struct {
	at    headState
	began bool // the request line has begun; empty lines before it are passed over
}

// headState is where in a head the scanner is.
type headState int

const (
	lineStart headState = iota
	withinLine
	lineEnd  // after the carriage return of a line
	blankEnd // after that of an empty line
	malformed
)

// scan looks at the next bytes and returns how many of them are the head's and well-formed. Where that is less than all of
// them, the head has ended there, or is malformed.
func (s *headScanner) scan(p []byte) int {
	n := 0
	for n < len(p) && s.at != malformed {
		switch s.at {
		case lineStart:
			n += s.start(p[n])
		case withinLine:
			n += s.within(p[n:])
		default:
			if p[n] != '\n' {
				s.at = malformed
				return n
			}
			n++
			if s.at == blankEnd && s.began {
				*s = headScanner{}
				return n
			}
			s.at = lineStart
		}
	}
	return n
}

func (s *headScanner) start(first byte) int {
	switch first {
	case '\r':
		s.at = blankEnd
		return 1
	case '\n', ' ', '\t':
		s.at = malformed
		return 0
	}
	s.at, s.began = withinLine, true
	return 0
}

func (s *headScanner) within(p []byte) int {
	text := p
	end := bytes.IndexByte(p, '\r')
	if end >= 0 {
		text = p[:end]
	}
	if feed := bytes.IndexByte(text, '\n'); feed >= 0 {
		s.at = malformed
		return feed
	}
	if end < 0 {
		return len(p)
	}
	s.at = lineEnd
	return end + 1
}
