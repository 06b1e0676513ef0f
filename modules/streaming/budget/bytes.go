package budget

import (
	"sync"
	"sync/atomic"
)

// Bytes is a budget of bytes. It is safe for concurrent use.
type Bytes struct {
	most int64
	held atomic.Int64
}

// NewBytes returns a budget that nothing has been taken from.
func NewBytes(most int64) *Bytes { return &Bytes{most: most} }

// Take takes bytes out of the budget until free is called; further calls of free are no-ops. ok is false when fewer bytes are
// left, but the first taker of an unused budget may take any number.
func (b *Bytes) Take(bytes int) (free func(), ok bool) {
	n := int64(bytes)
	for {
		held := b.held.Load()
		if held > 0 && held+n > b.most {
			return nil, false
		}
		if b.held.CompareAndSwap(held, held+n) {
			return sync.OnceFunc(func() { b.held.Add(-n) }), true
		}
	}
}
