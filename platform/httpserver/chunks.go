package httpserver

import (
	"bytes"
	"errors"
	"io"
	"strconv"
)

// errMalformedBody is for a body whose end cannot be told for certain.
var errMalformedBody = errors.New("the chunks of the body are not well-formed")

const (
	// maxChunkLine bounds the line before a chunk, extensions included, and one of the trailer.
	maxChunkLine = 4 << 10
	// maxChunkExtra bounds the extensions and the trailer of a body together.
	maxChunkExtra = 16 << 10
	// minChunkStep is how much room a body of unknown length is given at first.
	minChunkStep = 4 << 10
)

// readChunks reads a chunked body to its end, trailer included. Its reservation grows with it.
func (in *incoming) readChunks(raw []byte, most int) ([]byte, error) {
	extra := maxChunkExtra
	for {
		size, err := in.chunkSize(&extra)
		switch {
		case err != nil:
			return raw, err
		case size == 0:
			return raw, in.trailer(extra)
		case size > most-len(raw):
			return raw, tooLarge(most)
		}
		if raw, err = in.chunk(raw, size); err != nil {
			return raw, err
		}
	}
}

// chunk appends the data of one chunk, in steps that double: its size is the client's word only.
func (in *incoming) chunk(raw []byte, size int) ([]byte, error) {
	for size > 0 {
		step := min(size, max(minChunkStep, len(raw)))
		grown, err := in.grow(raw, step)
		if err != nil {
			return raw, err
		}
		n := len(raw)
		raw, size = grown[:n+step], size-step
		if _, err := io.ReadFull(ahead{in.own}, raw[n:]); err != nil {
			return raw, err
		}
	}
	line, err := in.line()
	if err == nil && len(line) > 0 {
		err = errMalformedBody
	}
	return raw, err
}

// chunkSize reads the line before a chunk: its size in hexadecimal digits, and extensions, which mean nothing here.
func (in *incoming) chunkSize(extra *int) (int, error) {
	line, err := in.line()
	if err != nil {
		return 0, err
	}
	digits, extension, extended := bytes.Cut(line, []byte{';'})
	if extended {
		digits = bytes.TrimRight(digits, " \t")
		*extra -= len(extension) + 1
	}
	size, err := strconv.ParseUint(string(digits), 16, 31) // takes neither signs nor underscores in base 16
	if err != nil || *extra < 0 {
		return 0, errMalformedBody
	}
	return int(size), nil
}

// trailer reads the fields after the last chunk, which mean nothing here, and the empty line that ends them.
func (in *incoming) trailer(extra int) error {
	for {
		line, err := in.line()
		if err != nil || len(line) == 0 {
			return err
		}
		if extra -= len(line); extra < 0 || bytes.IndexByte(line, ':') <= 0 || line[0] == ' ' || line[0] == '\t' {
			return errMalformedBody
		}
	}
}

// line returns the next line without its end. It lasts until the next read.
func (in *incoming) line() ([]byte, error) {
	own := in.own
	for seen := 0; ; {
		end := bytes.IndexByte(own.ahead[seen:], '\n')
		if end += seen; end >= seen {
			line := own.ahead[:end]
			own.ahead = own.ahead[end+1:]
			return checkLine(line)
		}
		if seen = len(own.ahead); seen > maxChunkLine {
			return nil, errMalformedBody
		}
		if err := own.lookAhead(minChunkStep); err != nil {
			return nil, err
		}
	}
}

// checkLine takes the carriage return off a line. Other bytes that are no text, such as one more of it, are a fault.
func checkLine(line []byte) ([]byte, error) {
	text, ok := bytes.CutSuffix(line, []byte{'\r'})
	for _, c := range text {
		ok = ok && (c >= ' ' && c != 0x7f || c == '\t')
	}
	if !ok || len(text) > maxChunkLine {
		return nil, errMalformedBody
	}
	return text, nil
}
