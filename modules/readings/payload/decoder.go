package payload

import (
	"bytes"
	"cmp"
	"sync"

	"github.com/klauspost/compress/gzip"

	"telltale/modules/readings/instant"
)

// Decoder decodes one body after another and reuses its memory from one to the next. The zero value is ready to use. It is
// not safe for concurrent use.
type Decoder struct {
	scanner

	body Body
	now  int64 // of the items without a time
	// earliest and latest bound the times of the items.
	earliest, latest int64

	resolver Resolver
	current  item
	columns  columns
	metric   []byte // of an item in the long form, when its name had escapes
	influx   influx

	maxRejected int
	// nulls says that the body has values that are none.
	nulls bool
	// untimed counts the items without a time, and taken how many instants those of a series have taken, see spread.
	untimed int
	taken   map[int32]int64

	reserve func(bytes int) error
	charged int   // values whose memory has been asked for, or is kept anyway
	full    error // there is no memory for more

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
func (d *Decoder) reset(data []byte, req Request, resolver Resolver) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	d.scanner.reset(data)
	d.body = Body{
		Series: d.body.Series[:0], TS: d.body.TS[:0], Value: d.body.Value[:0], Item: d.body.Item[:0], lines: d.body.lines[:0],
	}
	d.now, d.earliest, d.latest, d.resolver = req.Now.UnixMilli(), instant.Floor, instant.Max, resolver
	if !req.Earliest.IsZero() {
		d.earliest = max(instant.Min, req.Earliest.UnixMilli())
	}
	if !req.Latest.IsZero() {
		d.latest = min(instant.Max, req.Latest.UnixMilli())
	}
	d.maxRejected, d.nulls, d.untimed = cmp.Or(req.MaxRejected, MaxRejected), false, 0
	d.reserve, d.charged, d.full = req.Reserve, keptValues, nil
	d.current = item{memo: d.current.memo[:0], misplaced: d.current.misplaced[:0]}
}

// letGo clears what belongs to the caller, so that a pooled decoder keeps none of it alive.
func (d *Decoder) letGo() {
	d.data, d.resolver, d.reserve, d.current.id = nil, nil, nil, nil
	clear(d.current.memo[:cap(d.current.memo)])
	clear(d.columns.cells[:cap(d.columns.cells)])
	clear(d.columns.names)
	if len(d.taken) > keptValues {
		d.taken = nil
	}
	clear(d.taken)
	d.compressed.Reset(nil)
}
