package transfer

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync/atomic"

	"github.com/klauspost/compress/gzip"
)

// maxRecord bounds one line, in bytes: no reading is nearly as long, but a file of another kind may be all one line.
const maxRecord = 1 << 20

// source is one file that is read, decompressed if it was compressed.
type source struct {
	name string
	// info tells versions of the file apart; nil for standard input.
	info fs.FileInfo
	// taken counts the bytes read from the file, as they are there.
	taken atomic.Int64

	file io.ReadCloser
	text *bufio.Reader
}

// openSource opens a file; "-" is stdin.
func openSource(name string, stdin io.Reader) (*source, error) {
	s := &source{name: name, file: io.NopCloser(stdin)}
	if name == "-" {
		s.name = "standard input"
	} else {
		file, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		s.file = file
		if s.info, err = file.Stat(); err != nil {
			return nil, errors.Join(err, file.Close())
		}
	}
	if err := s.inflate(); err != nil {
		return nil, errors.Join(fmt.Errorf("reading %s: %w", s.name, err), s.file.Close())
	}
	return s, nil
}

// inflate decompresses what begins as gzip does.
func (s *source) inflate() error {
	raw := bufio.NewReaderSize(&counted{s.file, &s.taken}, maxRecord)
	s.text = raw
	if magic, err := raw.Peek(2); err != nil || magic[0] != 0x1f || magic[1] != 0x8b {
		return nil // an error comes again when it is read
	}
	inflated, err := gzip.NewReader(raw)
	if err != nil {
		return err
	}
	s.text = bufio.NewReaderSize(inflated, maxRecord)
	return nil
}

// size is that of the file as it is there, -1 if that is unknown.
func (s *source) size() int64 {
	if s.info == nil || !s.info.Mode().IsRegular() {
		return -1
	}
	return s.info.Size()
}

type counted struct {
	from  io.Reader
	bytes *atomic.Int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.bytes.Add(int64(n))
	return n, err
}
