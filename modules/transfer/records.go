package transfer

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// maxJoined bounds a record of several lines, in bytes.
const maxJoined = 64 << 10

// mark is a position in a file's text.
type mark struct {
	Offset int64 `json:"offset"`
	// Line is that of the offset, counted from 1.
	Line int `json:"line"`
}

// records reads a text record by record. A record is a line, or several where a quoted text in it has line ends.
type records struct {
	in *bufio.Reader
	// open reports whether the text is only the beginning of a record; nil if records are lines.
	open func(text []byte) bool
	// at is the position behind the last record.
	at mark

	joined []byte
	// again is text that was read ahead in vain.
	again []byte
}

// errOpen says that a line opens quotes that are never closed. The next record begins with the next line.
var errOpen = errors.New("opens quotes that are never closed")

// next returns a record without its line end, and where it begins; io.EOF behind the last. The text is valid until the next
// call.
func (r *records) next() (text []byte, from mark, err error) {
	from = r.at
	text, err = r.line()
	if err != nil || r.open == nil || !r.open(text) {
		return withoutEnd(text), from, err
	}
	second := r.at
	r.joined = append(r.joined[:0], text...)
	first := len(r.joined)
	for r.open(r.joined) {
		more, err := r.line()
		if err == nil {
			r.joined = append(r.joined, more...)
		}
		if err != nil || len(r.joined) > maxJoined {
			r.again = append(bytes.Clone(r.joined[first:]), r.again...)
			r.at = second
			return nil, from, errOpen // an error of reading comes again
		}
	}
	return withoutEnd(r.joined), from, nil
}

// line returns a line with its end.
func (r *records) line() (text []byte, err error) {
	if len(r.again) > 0 {
		text, r.again = cutLine(r.again)
	} else {
		text, err = r.in.ReadSlice('\n')
	}
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return nil, fmt.Errorf("line %d is longer than %d bytes", r.at.Line, maxRecord)
	case err != nil && (!errors.Is(err, io.EOF) || len(text) == 0):
		return nil, err
	}
	r.at.Offset += int64(len(text))
	r.at.Line++
	return text, nil
}

func cutLine(text []byte) (line, rest []byte) {
	if end := bytes.IndexByte(text, '\n'); end >= 0 {
		return text[:end+1], text[end+1:]
	}
	return text, nil
}

func withoutEnd(text []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(text, []byte{'\n'}), []byte{'\r'})
}

// skipTo goes to a position ahead.
func (r *records) skipTo(to mark) error {
	n, err := io.CopyN(io.Discard, r.in, to.Offset-r.at.Offset)
	if err != nil {
		return fmt.Errorf("going on at byte %d: %w after %d", to.Offset, err, r.at.Offset+n)
	}
	r.at = to
	return nil
}
