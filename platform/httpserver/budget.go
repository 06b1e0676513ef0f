package httpserver

import (
	"sync/atomic"
	"time"

	"telltale/platform/fault"
)

// budget bounds the bytes of all bodies that are in memory at the same time.
type budget struct {
	most int64
	used atomic.Int64
}

// take reserves that many bytes, or returns an Unavailable fault.
func (b *budget) take(n int) error { return b.add(n, -1) }

// add is take for a request that has own bytes already; it is also served when nothing but these is taken.
func (b *budget) add(n, own int) error {
	if used := b.used.Add(int64(n)); used <= b.most || used == int64(n+own) {
		return nil
	}
	b.used.Add(int64(-n))
	return fault.Busy(time.Second, nil, "the bodies of other requests fill the memory that there is for them")
}

func (b *budget) give(n int) { b.used.Add(int64(-n)) }
