package payload

import (
	"encoding/binary"
	"errors"
	"io"
	"strings"

	"github.com/klauspost/compress/gzip"

	"telltale/platform/fault"
)

// plain returns the body without its content encoding. Decompressed bytes live in the decoder's own buffer.
func (d *Decoder) plain(req Request) ([]byte, error) {
	switch strings.ToLower(strings.TrimSpace(req.ContentEncoding)) {
	case "", "identity":
		if len(req.Data) > req.MaxBytes {
			return nil, tooLarge(req.MaxBytes)
		}
		return req.Data, nil
	case "gzip", "x-gzip":
		return d.gunzip(req.Data, req.MaxBytes)
	}
	return nil, fault.New(fault.UnsupportedMedia, "content encoding %s is not read here; send gzip or none",
		quote([]byte(req.ContentEncoding)))
}

// gunzip decompresses all members of data, at most limit bytes.
func (d *Decoder) gunzip(data []byte, limit int) ([]byte, error) {
	d.compressed.Reset(data)
	if d.gzip == nil {
		d.gzip = new(gzip.Reader)
	}
	if err := d.gzip.Reset(&d.compressed); err != nil {
		return nil, corrupt(err)
	}
	d.inflated = grow(d.inflated[:0], sizeHint(data, limit))
	for {
		// One byte beyond the limit is what tells "just fits" from "too large".
		room := d.inflated[len(d.inflated):min(cap(d.inflated), limit+1)]
		n, err := d.gzip.Read(room)
		d.inflated = d.inflated[:len(d.inflated)+n]
		switch {
		case len(d.inflated) > limit:
			return nil, tooLarge(limit)
		case errors.Is(err, io.EOF):
			return d.inflated, nil
		case err != nil:
			return nil, corrupt(err)
		case len(d.inflated) == cap(d.inflated):
			d.inflated = grow(d.inflated, min(2*cap(d.inflated), limit+1))
		}
	}
}

// sizeHint guesses the decompressed size from the trailer that gzip ends with (RFC 1952, ISIZE). The trailer is the
// sender's word, so it is trusted only as far as the usual ratio of compression goes.
func sizeHint(data []byte, limit int) int {
	hint := 0
	if len(data) >= 18 {
		hint = int(binary.LittleEndian.Uint32(data[len(data)-4:])) + 1
	}
	return min(max(hint, 512), 32*len(data)+512, limit+1)
}

func grow(b []byte, size int) []byte {
	if cap(b) >= size {
		return b
	}
	return append(make([]byte, 0, size), b...)
}

func corrupt(err error) error {
	return bodyFault("is not a valid gzip stream: %s", strings.TrimPrefix(err.Error(), "gzip: "))
}

func tooLarge(limit int) error {
	return fault.New(fault.TooLarge, "the body is larger than %d bytes once decompressed; send it in parts", limit)
}
