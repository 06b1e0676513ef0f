package event

import (
	"slices"
	"sort"
	"sync"
)

// ownBytes is about how much a viewer writes at once in its own goroutine.
const ownBytes = 64 << 10

// Buffer is a write buffer: what one write carries to one viewer (or to several with the same filter), and where in it events
// end. A buffer is held only during a write, never while waiting for a socket. One goroutine at a time uses it.
type Buffer struct {
	// To is the position of a viewer that has got the whole buffer.
	To Position

	limit int // in bytes; Take stops behind the event that reaches it
	text  []byte
	ends  []eventEnd

	devices, metrics         []bool  // of the part at hand: which are let through; nil for all
	deviceFlags, metricFlags []bool  // memory for them
	few                      []int32 // memory for the indexes of events
}

// eventEnd is the end of an event in a buffer.
type eventEnd struct {
	at    int
	after Position
}

// NewBuffer returns an empty buffer that is full once it holds limit bytes; the last event may exceed them.
func NewBuffer(limit int) *Buffer { return &Buffer{limit: limit} }

var buffers = sync.Pool{New: func() any { return NewBuffer(ownBytes) }}

// GetBuffer returns a buffer for a viewer that writes in its own goroutine. The caller has to release it.
func GetBuffer() *Buffer { return buffers.Get().(*Buffer) }

// Release returns a buffer from GetBuffer to the pool, unless it has grown too large to keep.
func (t *Buffer) Release() {
	if cap(t.text) <= 2*ownBytes {
		buffers.Put(t)
	}
}

// Text returns what is to be written.
func (t *Buffer) Text() []byte { return t.text }

// Full reports whether Take takes no more events.
func (t *Buffer) Full() bool { return len(t.text) >= t.limit }

// Reset empties the buffer.
func (t *Buffer) Reset() { t.text, t.ends = t.text[:0], t.ends[:0] }

// add takes the i-th event of the part, with the metrics that the filter lets through, or not at all if it lets none through.
func (t *Buffer) add(e *Encoded, i int) {
	if t.addPairs(e, i) {
		t.ends = append(t.ends, eventEnd{len(t.text), Position{Stamp: e.stamp - 1, Next: e.events[i].n + 1}})
	}
}

// addPairs is add without the note of where the event ends. It reports whether it has taken anything.
func (t *Buffer) addPairs(e *Encoded, i int) bool {
	start, end := e.events[i].start, e.eventEnd(i)
	if t.metrics == nil {
		t.text = append(t.text, e.text[start:end]...)
		return true
	}
	pairs := e.pairsOf(i)
	wanted := 0
	for _, p := range pairs {
		if t.metrics[p.metric] {
			wanted++
		}
	}
	switch wanted {
	case 0:
		return false
	case len(pairs):
		t.text = append(t.text, e.text[start:end]...)
		return true
	}
	t.text = append(t.text, e.text[start:pairs[0].start]...)
	for _, p := range pairs {
		if t.metrics[p.metric] {
			t.text = append(append(t.text, e.text[p.start:p.end]...), ',')
		}
	}
	t.text = append(t.text[:len(t.text)-1], Tail...)
	return true
}

// Written describes how far the first bytes of a buffer bring a viewer.
type Written struct {
	Events int      // that begin in them
	At     Position // of the viewer
	LastID Position // of the last of those events; unset without any
	Rest   []byte   // of the event within which they end; it is a copy
}

// Written returns how far the first n bytes of the buffer bring a viewer.
func (t *Buffer) Written(n int) Written {
	i, start := len(t.ends), 0
	if n < len(t.text) {
		i = sort.Search(len(t.ends), func(i int) bool { return t.ends[i].at > n })
	}
	var w Written
	if i > 0 {
		start = t.ends[i-1].at
		w = Written{Events: i, At: t.ends[i-1].after, LastID: t.ends[i-1].after}
	}
	switch {
	case n == len(t.text):
		w.At = t.To
	case start < n:
		after := t.ends[i].after
		w = Written{Events: i + 1, At: after, LastID: after, Rest: slices.Clone(t.text[n:t.ends[i].at])}
	}
	return w
}
