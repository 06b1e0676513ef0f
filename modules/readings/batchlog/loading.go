package batchlog

import (
	"sync/atomic"
	"time"

	"telltale/platform/fault"
	"telltale/platform/health"
)

// loading is how far the first reading of the log has got.
type loading struct {
	since, first, last atomic.Int64 // Unix nanoseconds; seqs
}

// begin notes that the batches of the state which are not folded are about to be read.
func (l *loading) begin(state State) {
	l.since.CompareAndSwap(0, time.Now().UnixNano())
	l.first.Store(state.Folded)
	l.last.Store(state.Head)
}

// err says how far the reading has got with a log that is known up to head.
func (l *loading) err(head int64) error {
	since := l.since.Load()
	if since == 0 {
		return fault.Busy(time.Second, nil, "the log has not been read yet")
	}
	first, last := l.first.Load(), l.last.Load()
	return &health.Failing{
		Since: time.Unix(0, since),
		Err:   fault.Busy(time.Second, nil, "the log is being read: %d of %d batches", min(max(head, first), last)-first, last-first),
	}
}
