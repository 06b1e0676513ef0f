package streaming

import (
	"cmp"
	"errors"
	"strconv"
	"strings"

	"telltale/modules/readings"
)

// Position is a place in the log between two events: every batch up to Seq has been seen and, of the batch after it, every
// event that begins before the reading with index Next.
//
// On the wire it is the id of the event just seen, "<seq>:<n>" with the index n of that event's first reading, or
// "<seq>" alone when the whole batch has been seen.
//
// The id of an event of buckets is "<seq>@<until>": readings up to Seq have been looked at, and every bucket that ended at the
// time Until or before has been sent.
type Position struct {
	Seq  int64
	Next int32
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
	seq, err := parseDigits(batch, 63)
	if err != nil {
		return Position{}, errPosition
	}
	if !inBatch {
		return Position{Seq: seq}, nil
	}
	n, err := parseDigits(index, 31)
	if err != nil || n > readings.MaxBatchReadings {
		return Position{}, errPosition
	}
	if seq == 0 { // no batch has it; whoever begins there has seen nothing
		return Position{}, nil
	}
	return Position{Seq: seq - 1, Next: int32(n) + 1}, nil
}

// parseDigits is strconv.ParseInt without signs.
func parseDigits(text string, bits int) (int64, error) {
	n, err := strconv.ParseUint(text, 10, bits)
	return int64(n), err
}

// String returns the position as the id of an event.
func (p Position) String() string { return string(p.append(nil)) }

func (p Position) append(dst []byte) []byte {
	if p.Next == 0 {
		dst = strconv.AppendInt(dst, p.Seq, 10)
	} else {
		dst = append(strconv.AppendInt(dst, p.Seq+1, 10), ':')
		dst = strconv.AppendInt(dst, int64(p.Next)-1, 10)
	}
	if p.Until > 0 {
		dst = strconv.AppendInt(append(dst, '@'), p.Until, 10)
	}
	return dst
}

// before reports whether p is an earlier place than q.
func (p Position) before(q Position) bool {
	return cmp.Or(cmp.Compare(p.Seq, q.Seq), cmp.Compare(p.Next, q.Next), cmp.Compare(p.Until, q.Until)) < 0
}

// reached returns the newest batch of which something has been seen.
func (p Position) reached() int64 {
	if p.Next > 0 {
		return p.Seq + 1
	}
	return p.Seq
}
