package streaming

import (
	"time"

	"telltale/modules/streaming/event"
)

// pageTimeout is how long a viewer may take for a page, which takes from the budget of all viewers meanwhile, before its stream
// ends. The largest snapshot, some 10 MB, gets through a link of 256 kbit/s.
const pageTimeout = 6 * time.Minute

// pageText is the text of a page: a snapshot, an update of newest readings, or a flush of buckets.
type pageText interface {
	// Append appends the next piece and returns how many events it has.
	Append(dst []byte) (_ []byte, events int)
	Done() bool
	// At is the position of a viewer that has got all of the page.
	At() event.Position
	Free()
}

// page is what a viewer gets before anything more of the log.
type page struct {
	pageText
	due time.Time // by when the socket has to have taken it
}

// newPage returns a page that the socket has the page timeout to take.
func (h *Hub) newPage(text pageText) *page { return &page{text, time.Now().Add(h.pageTimeout)} }

// orDue returns the deadline, or when the page has to have been taken if that is before. There may be no page.
func (p *page) orDue(deadline time.Time) time.Time {
	if p != nil && p.due.Before(deadline) {
		return p.due
	}
	return deadline
}
