// Package payload reads the bodies that devices post: JSON, NDJSON, CSV and InfluxDB line protocol, plain or gzipped.
//
// A body is a sequence of items. An item is one device at one moment with one or more values: an element of a JSON body's
// `readings`, a line of NDJSON or line protocol, a row of CSV. An item is atomic: one bad value rejects the whole item. Rejected
// items do not end the decoding: they are listed, and the others are kept, so that the caller can choose between all-or-nothing
// (see Body.Fault) and storing the good ones.
//
// Decoding is one pass over the bytes that allocates nothing per item. Device and metric names never become strings here: the
// caller's Resolver turns their bytes into series ids. The package stores nothing.
package payload

import (
	"cmp"
	"time"
)

// Resolver knows which series a device's metric is. It belongs to one Decode, is called from its goroutine only, and must
// not keep the slices it is given: their bytes are reused.
//
// An error rejects the item. Its text is told to the caller of the API, as the reason; of a *fault.Fault it is the fields'
// reasons or else the message.
type Resolver interface {
	// Device selects the device that the calls of Series that follow speak of. It is not called for an item of the same
	// device as the item before.
	Device(id []byte) error
	// Series returns the id of the selected device's metric. For a series that is not registered yet it returns a
	// placeholder of the caller's choice (a negative number), always the same one for the same device and metric. Series may
	// be asked about an item that is rejected later, so only the placeholders found in Body.Series want registering.
	Series(metric []byte) (int32, error)
}

// Request is one posted body and what is known about it.
type Request struct {
	// ContentType and ContentEncoding are the headers of these names, as received.
	ContentType     string
	ContentEncoding string
	// LineProtocol, unless nil, says that the body is line protocol, whatever its content type is.
	LineProtocol *LineProtocol
	// Data is the body as received, still compressed if it was. It is read during Decode only.
	Data []byte
	// MaxRejected ends the decoding once more items than this have been rejected, see Body.Stopped; 0 stands for MaxRejected.
	MaxRejected int
	// MaxBytes bounds the size of the body once decompressed; nothing larger is ever held in memory.
	MaxBytes int
	// Reserve, unless nil, is asked for the memory of what the body inflates to and of its values, beyond what any body may
	// take; its error ends the decoding.
	Reserve func(bytes int) error
	// Now is the time of the items that carry none.
	Now time.Time
	// Earliest and Latest bound the times that items may carry: instant.Floor and instant.Max unless they are set.
	Earliest, Latest time.Time
}

// Body is what one request carried. Series, TS, Value and Item are parallel: one entry for each accepted value, in the order
// of the body. It belongs to its Decoder and is valid until that decodes again or is put back.
type Body struct {
	Series []int32
	// TS is in Unix milliseconds, between the earliest and the latest time that the request allows.
	TS []int64
	// Value is finite; booleans are 0 and 1.
	Value []float64
	// Item is the index of the item that the value came from, counted like Reject.Index.
	Item []int32
	// Items counts the items of the body, Rejected those among them that were rejected.
	Items    int
	Rejected int
	// Rejects says what is wrong with the first MaxRejects of the rejected items.
	Rejects []Reject
	// Stopped says that too many items were rejected, and the rest of the body was not read.
	Stopped bool
	// Rounded counts the values that are integers too large for a float64 to be exact.
	Rounded int

	lines []int32 // that the items begin in; none for JSON
	// byLine says that items are named by their line, because that is how the format's users speak of them.
	byLine bool
}

// MaxRejects is how many rejected items of one body are described; beyond that they are only counted.
const MaxRejects = 100

// MaxRejected is how many rejected items a body may have at most, for callers who store the others.
const MaxRejected = 10_000

// Reject says what is wrong with one item: the first thing found.
type Reject struct {
	// Index counts the items of the body from 0; blank lines, comments and the CSV header are not items.
	Index int
	// Field is the path of what is wrong, such as `readings[3].values.temperature`; for line protocol it is `line 4`.
	Field string
	// Reason says what it was and what is allowed. For NDJSON and CSV it begins with the line.
	Reason string
}

// Decode reads the body of a request. The error is a *fault.Fault: UnsupportedMedia for a type or encoding that is
// not supported, TooLarge, or Invalid for a body that cannot be read to its end or has no items. Items that are not valid are no
// error but listed in the Body.
func (d *Decoder) Decode(req Request, resolver Resolver) (*Body, error) {
	format, err := formatOf(req)
	if err != nil {
		return nil, err
	}
	data, err := d.plain(req)
	if err != nil {
		return nil, err
	}
	d.reset(data, req, resolver)
	defer d.letGo()
	switch format {
	case lines:
		d.decodeLines(req.LineProtocol)
	case NDJSON:
		d.decodeNDJSON()
	case CSV:
		err = d.decodeCSV()
	default:
		err = d.decodeJSON()
	}
	if err = cmp.Or(d.full, err); err != nil {
		return nil, err
	}
	// Clients of InfluxDB begin with an empty write, and lines may well have fields of text only.
	if format != lines && !d.nulls && len(d.body.Series) == 0 && d.body.Rejected == 0 {
		return nil, bodyFault("has no readings")
	}
	d.spread()
	return &d.body, nil
}
