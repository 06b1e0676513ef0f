package streaming

import (
	"sync"
	"sync/atomic"

	"telltale/platform/fault"
)

const (
	// pageBytes bounds the newest readings, and the buckets, that are held for all viewers together until their sockets
	// have taken them. Who finds no room waits, or is refused a snapshot.
	pageBytes = 64 << 20
	// listBytes bounds the long lists of all viewers together. Who finds no room for one is refused.
	listBytes = 256 << 20
	// shortList is how many words count as nothing: what a viewer takes anyway is more.
	shortList = 16
	// wordBytes is about what a word takes besides its text, in what was asked for and in what is made of that.
	wordBytes = 64
)

// room bounds what viewers hold together.
type room struct {
	bytes int64
	held  atomic.Int64
}

func newRoom(bytes int64) *room { return &room{bytes: bytes} }

// take makes room; ok is false when there is none, though for one alone there always is.
func (r *room) take(bytes int) (free func(), ok bool) {
	n := int64(bytes)
	for {
		held := r.held.Load()
		if held > 0 && held+n > r.bytes {
			return nil, false
		}
		if r.held.CompareAndSwap(held, held+n) {
			return sync.OnceFunc(func() { r.held.Add(-n) }), true
		}
	}
}

// keepLists makes room for long lists until the ticket is released. It returns an Unavailable fault when there is none.
func (h *Hub) keepLists(s Selection, ticket *ticket) error {
	bytes, words := 0, 0
	for _, list := range [][]string{s.Devices, s.Tags, s.Metrics} {
		words += len(list)
		for _, word := range list {
			bytes += len(word) + wordBytes
		}
	}
	if words <= shortList {
		return nil
	}
	free, ok := h.lists.take(bytes)
	if !ok {
		return fault.Busy(limitRetry, nil, "too many streams with long lists are open; ask for patterns, or for all that the token covers")
	}
	ticket.finally(free)
	return nil
}
