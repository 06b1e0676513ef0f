package payload

import (
	"bytes"
	"sync"

	"github.com/klauspost/compress/gzip"
)

// Decoder decodes one body after another and reuses its memory from one to the next. The zero value is ready to use. It is
// not safe for concurrent use.
type Decoder struct {
	scanner

	body     Body
	now      int64
	resolver Resolver
	current  item
	columns  columns
	metric   []byte // of an item in the long form, when its name had escapes
	influx   influx

	compressed bytes.Reader
	gzip       *gzip.Reader
	inflated   []byte
}

// keptValues and keptBytes bound what a decoder that is put back keeps: one huge body must not stay in memory for ever.
const (
	keptValues = 1 << 17
	keptBytes  = 4 << 20
)

var decoders = sync.Pool{New: func() any { return new(Decoder) }}

// Get returns a decoder for the caller to Put back.
func Get() *Decoder { return decoders.Get().(*Decoder) }

// Put takes a decoder back. Its last Body must not be used any more.
func Put(d *Decoder) {
	if cap(d.body.Series) > keptValues {
		d.body = Body{}
	}
	if cap(d.inflated) > keptBytes {
		d.inflated = nil
	}
	decoders.Put(d)
}

// reset prepares for the next body.
func (d *Decoder) reset(data []byte, now int64, resolver Resolver) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	d.scanner.reset(data)
	d.body = Body{
		Series: d.body.Series[:0], TS: d.body.TS[:0], Value: d.body.Value[:0], Item: d.body.Item[:0], lines: d.body.lines[:0],
	}
	d.now, d.resolver = now, resolver
	d.current = item{memo: d.current.memo[:0]}
}

// letGo drops what belongs to the caller, so that a pooled decoder keeps none of it alive.
func (d *Decoder) letGo() {
	d.data, d.resolver, d.current.id = nil, nil, nil
	clear(d.current.memo[:cap(d.current.memo)])
	clear(d.columns.cells[:cap(d.columns.cells)])
	clear(d.columns.names)
	d.compressed.Reset(nil)
}
