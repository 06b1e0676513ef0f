package livebucket

import (
	"context"
	"errors"
	"sync"
	"time"

	"telltale/modules/streaming/budget"
	"telltale/modules/streaming/event"
)

// Point is a viewer's position in one of the logs that this database has had. Replaced counts the earlier logs.
type Point struct {
	event.Position
	Replaced int
}

// Flush takes a viewer of buckets from one position to another. It holds buckets that have closed, and buckets that late readings
// have changed. All viewers that ask the same share it; it must not be changed.
//
// It also suits a viewer at any position in between: that viewer needs a part of it, and the rest is true as well.
type Flush struct {
	To   event.Position
	Gaps int  // how many of the events are gaps
	More bool // there was more than goes into one flush

	text   []byte // its last event has the id of To
	from   event.Position
	cost   time.Duration // of making it, without the wait for a permit
	budget *budget.Bytes

	mu    sync.Mutex
	users int
	free  func()
}

// serves reports whether the flush brings a viewer at the position further.
func (f *Flush) serves(at event.Position) bool {
	inLog := f.from.Stamp <= at.Stamp && at.Stamp <= f.To.Stamp
	inTime := f.from.Until <= at.Until && at.Until <= f.To.Until
	return inLog && inTime && at != f.To
}

// memoBytes is about the size of a memo without the text of its flush.
const memoBytes = 512

// bytes is the size of the flush in memory.
func (f *Flush) bytes() int { return cap(f.text) + memoBytes }

// hold charges the text to the budget until Release has been called as often as hold. ok is false when too little is left.
func (f *Flush) hold() (ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.users == 0 {
		if f.free, ok = f.budget.Take(f.bytes()); !ok {
			return false
		}
	}
	f.users++
	return true
}

// Empty reports whether the flush has no events.
func (f *Flush) Empty() bool { return len(f.text) == 0 }

// Release ends one use of the flush.
func (f *Flush) Release() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.users--; f.users == 0 {
		f.free()
	}
}

// memoKey is a question about one log: another log, as after a restore, has other positions.
type memoKey struct {
	question questionKey
	replaced int
}

// memo is the last flush of all viewers that ask the same.
type memo struct {
	lock chan struct{} // has room for the one goroutine that makes a flush, or looks at the last one
	last *Flush
}

// ErrLater says that a flush cannot be made at present.
var ErrLater = errors.New("there is no permit, or no budget, for a flush at present")

// Flush returns a flush for a viewer that asks a question at a point. The caller has to release it. Viewers that ask the same, and
// are at about the same point, share one. The error is ErrLater when others take too long, and ctx's when ctx ends: then another
// viewer makes the flush instead. cost is the time that making the flush took, also if another viewer made it, or that the
// attempt took.
func (m *Maker) Flush(ctx context.Context, q *Question, at Point) (f *Flush, cost time.Duration, err error) {
	timer := time.NewTimer(m.limits.Patience)
	defer timer.Stop()
	wait := func(permits chan struct{}) error {
		select {
		case permits <- struct{}{}:
			return nil
		case <-timer.C:
			return ErrLater
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	key := memoKey{q.key, at.Replaced}
	memo := m.memos.Get(key, memoBytes, func() *memo { return &memo{lock: make(chan struct{}, 1)} })
	if err := wait(memo.lock); err != nil {
		return nil, 0, err
	}
	defer func() { <-memo.lock }()
	if memo.last != nil && memo.last.serves(at.Position) {
		return held(memo.last)
	}
	if err := wait(m.permits); err != nil {
		return nil, 0, err
	}
	defer func() { <-m.permits }()
	began := m.limits.Stopwatch()
	f, err = m.build(ctx, q, at)
	if cost = m.limits.Stopwatch().Sub(began); err != nil {
		return nil, cost, err
	}
	f.cost, memo.last = cost, f
	m.memos.Weigh(key, f.bytes())
	return held(f)
}

// held returns the flush, charged to the budget.
func held(f *Flush) (*Flush, time.Duration, error) {
	if !f.hold() {
		return nil, f.cost, ErrLater
	}
	return f, f.cost, nil
}
