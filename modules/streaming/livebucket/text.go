package livebucket

import (
	"bytes"

	"telltale/modules/streaming/event"
)

// pieceBytes is about how much Append appends at once.
const pieceBytes = 16 << 10

// Text is the rest of a flush that is being sent to one viewer.
type Text struct {
	flush *Flush
	left  []byte
}

// TextOf returns the text of a flush. Free ends the use of the flush.
func TextOf(f *Flush) *Text { return &Text{f, f.text} }

// Append appends the next piece, which ends where an event does.
func (t *Text) Append(dst []byte) (_ []byte, events int) {
	n, behind := len(t.left), []byte("\n\n")
	if n > pieceBytes {
		n = pieceBytes - 1 + bytes.Index(t.left[pieceBytes-1:], behind) + len(behind)
	}
	events = bytes.Count(t.left[:n], behind)
	dst, t.left = append(dst, t.left[:n]...), t.left[n:]
	return dst, events
}

// Done reports whether nothing is left.
func (t *Text) Done() bool { return len(t.left) == 0 }

// At returns the position of a viewer that has got the whole text.
func (t *Text) At() event.Position { return t.flush.To }

// Free ends the use of the flush.
func (t *Text) Free() { t.flush.Release() }
