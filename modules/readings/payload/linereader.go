package payload

import (
	"bytes"
	"io"
)

// lineReader hands out data line by line, and counts the lines that it has begun.
type lineReader struct {
	data []byte
	// within says that a line was longer than the reader's buffer and has more to come.
	within bool
	count  int
}

// Read implements io.Reader.
func (l *lineReader) Read(p []byte) (int, error) {
	if len(l.data) == 0 {
		return 0, io.EOF
	}
	if !l.within {
		l.count++
	}
	end := bytes.IndexByte(l.data, '\n') + 1
	if end == 0 {
		end = len(l.data)
	}
	n := copy(p, l.data[:end])
	l.within, l.data = n < end, l.data[n:]
	return n, nil
}
