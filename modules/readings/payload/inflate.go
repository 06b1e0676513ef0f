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
	if len(req.Data) == 0 {
		return nil, nil // whatever its encoding is
	}
	switch strings.ToLower(strings.TrimSpace(req.ContentEncoding)) {
	case "", "identity":
		if len(req.Data) > req.MaxBytes {
			return nil, tooLarge(req.MaxBytes)
		}
		return req.Data, nil
	case "gzip", "x-gzip":
		return d.gunzip(req)
	}
	return nil, fault.New(fault.UnsupportedMedia, "content encoding %s is not read here; send gzip or none",
		quote([]byte(req.ContentEncoding)))
}

// What bounds inflation besides its size: no body of readings shrinks to less than a 256th, and none comes in more members.
// A first mebibyte is free of the ratio: a few equal lines are no attack.
const (
	maxRatio   = 256
	freeBytes  = 1 << 20
	maxMembers = 1024
)

// gunzip decompresses all members of the body, at most MaxBytes.
func (d *Decoder) gunzip(req Request) ([]byte, error) {
	data, limit := req.Data, req.MaxBytes
	d.compressed.Reset(data)
	if d.gzip == nil {
		d.gzip = new(gzip.Reader)
	}
	if err := d.gzip.Reset(&d.compressed); err != nil {
		return nil, corrupt(err)
	}
	d.gzip.Multistream(false)
	most := max(maxRatio*len(data), freeBytes)
	members := 1
	d.inflated = d.inflated[:0]
	reserved := 0
	if err := d.room(req, sizeHint(data, limit), &reserved); err != nil {
		return nil, err
	}
	for {
		// One byte beyond the limit is what tells "just fits" from "too large".
		room := d.inflated[len(d.inflated):min(cap(d.inflated), limit+1)]
		n, err := d.gzip.Read(room)
		d.inflated = d.inflated[:len(d.inflated)+n]
		switch {
		case len(d.inflated) > limit:
			return nil, tooLarge(limit)
		case len(d.inflated) > most:
			return nil, fault.New(fault.TooLarge, "the body inflates to more than %d times its size; send it less compressed or in parts", maxRatio)
		case errors.Is(err, io.EOF):
			if d.compressed.Len() == 0 {
				return d.inflated, nil
			}
			if members++; members > maxMembers {
				return nil, bodyFault("has more than %d gzip members; send it in one", maxMembers)
			}
			if err := d.gzip.Reset(&d.compressed); err != nil {
				return nil, corrupt(err)
			}
			d.gzip.Multistream(false)
		case err != nil:
			return nil, corrupt(err)
		case len(d.inflated) == cap(d.inflated):
			if err := d.room(req, min(2*cap(d.inflated), limit+1), &reserved); err != nil {
				return nil, err
			}
		}
	}
}

// room makes room for that many inflated bytes, if there is memory for as many as are not reserved yet.
func (d *Decoder) room(req Request, size int, reserved *int) error {
	if size = max(size, cap(d.inflated)); req.Reserve != nil && size > *reserved {
		if err := req.Reserve(size - *reserved); err != nil {
			return err
		}
		*reserved = size
	}
	d.inflated = grow(d.inflated, size)
	return nil
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
