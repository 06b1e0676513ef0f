package streaming

import (
	"time"

	"telltale/modules/streaming/event"
)

// digestTimeout is how long a viewer may take for a digest, which takes from the budget of all viewers meanwhile, before its stream
// ends. The largest snapshot, some 10 MB, gets through a link of 256 kbit/s.
const digestTimeout = 6 * time.Minute

// digestText is the text of a digest: a snapshot, an update of newest readings, or a flush of buckets.
type digestText interface {
	// Append appends the next piece and returns how many events it has.
	Append(dst []byte) (_ []byte, events int)
	Done() bool
	// At is the position of a viewer that has got all of the digest.
	At() event.Position
	Free()
}

// digest is what a viewer gets before anything more of the log, made of much of it.
type digest struct {
	digestText
	due time.Time // by when the socket has to have taken it
}

// newDigest returns a digest that the socket has the digest timeout to take.
func (h *Hub) newDigest(text digestText) *digest {
	return &digest{text, time.Now().Add(h.digestTimeout)}
}

// orDue returns the deadline, or when the digest has to have been taken if that is before. There may be no digest.
func (d *digest) orDue(deadline time.Time) time.Time {
	if d != nil && d.due.Before(deadline) {
		return d.due
	}
	return deadline
}
