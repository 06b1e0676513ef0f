// Package event defines what a stream sends: positions in the log, which are the ids of events, and the text of events.
//
// Encoded is the text of a part of a batch, made once for all viewers. Cache keeps the parts used last. Buffer is what one write
// carries to one viewer: it takes from encoded parts the events that pass the viewer's filter, and afterwards tells how far any
// number of written bytes has brought the viewer. Other functions append events that carry no readings.
//
// The package depends on filters. It knows no viewers, no sockets and no database.
package event

import (
	"cmp"
	"errors"
	"strconv"
	"strings"

	"telltale/modules/readings/batchlog"
)

// Position is a point in the log between two events. The viewer has seen every batch up to Stamp and, of the batch after it,
// every event that begins before the reading with index Next.
//
// On the wire it is the id of the last event seen: "<seq>:<n>", where n is the index of that event's first reading, or "<seq>"
// alone when the viewer has seen the whole batch. The API calls a stamp seq.
//
// The id of an event of buckets is "<seq>@<until>": readings up to Stamp have been taken into account, and every bucket that
// ended at the time Until or earlier has been sent.
type Position struct {
	Stamp int64
	Next  int32
	// Until is in Unix ms; 0 in a stream of readings.
	Until int64
}

var errPosition = errors.New(`must be the id of an event ("<seq>:<n>", or "<seq>@<until>" of buckets) or a seq`)

// ParsePosition reads a position from text that a client sent.
func ParsePosition(text string) (Position, error) {
	text, until, timed := strings.Cut(text, "@")
	if timed {
		p, err := ParsePosition(text)
		ms, errUntil := parseDigits(until, 53)
		if err != nil || errUntil != nil {
			return Position{}, errPosition
		}
		p.Until = ms
		return p, nil
	}
	batch, index, inBatch := strings.Cut(text, ":")
	stamp, err := parseDigits(batch, 63)
	if err != nil {
		return Position{}, errPosition
	}
	if !inBatch {
		return Position{Stamp: stamp}, nil
	}
	n, err := parseDigits(index, 31)
	if err != nil || n > batchlog.MaxBatchReadings {
		return Position{}, errPosition
	}
	if stamp == 0 { // no batch has it: nothing has been seen
		return Position{}, nil
	}
	return Position{Stamp: stamp - 1, Next: int32(n) + 1}, nil
}

// parseDigits is strconv.ParseInt without signs.
func parseDigits(text string, bits int) (int64, error) {
	n, err := strconv.ParseUint(text, 10, bits)
	return int64(n), err
}

// String returns the position as the id of an event.
func (p Position) String() string { return string(p.AppendTo(nil)) }

// AppendTo appends the position as the id of an event.
func (p Position) AppendTo(dst []byte) []byte {
	if p.Next == 0 {
		dst = strconv.AppendInt(dst, p.Stamp, 10)
	} else {
		dst = append(strconv.AppendInt(dst, p.Stamp+1, 10), ':')
		dst = strconv.AppendInt(dst, int64(p.Next)-1, 10)
	}
	if p.Until > 0 {
		dst = strconv.AppendInt(append(dst, '@'), p.Until, 10)
	}
	return dst
}

// Before reports whether p is an earlier position than q.
func (p Position) Before(q Position) bool {
	return cmp.Or(cmp.Compare(p.Stamp, q.Stamp), cmp.Compare(p.Next, q.Next), cmp.Compare(p.Until, q.Until)) < 0
}

// Reached returns the stamp of the newest batch of which something has been seen.
func (p Position) Reached() int64 {
	if p.Next > 0 {
		return p.Stamp + 1
	}
	return p.Stamp
}
