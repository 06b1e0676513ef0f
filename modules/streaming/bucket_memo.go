package streaming

import (
	"context"
	"errors"
	"sync"
	"time"
)

// flush is what takes a viewer of buckets from one place to another: buckets that have closed, and those that late readings
// changed. Its text is shared by every viewer that asks the same, and must not be changed.
//
// It is right for a viewer at any place between: such a one is owed a part of it, and what it gets besides is as true.
type flush struct {
	from, to Position
	text     []byte // its last event has the id of to
	gaps     int
	more     bool          // there was more than goes into one flush
	cost     time.Duration // what making it took, without the wait for a turn
	room     *room

	mu    sync.Mutex
	users int
	free  func()
}

// serves reports whether the flush takes a viewer at the place further.
func (f *flush) serves(at Position) bool {
	inLog := f.from.Seq <= at.Seq && at.Seq <= f.to.Seq
	inTime := f.from.Until <= at.Until && at.Until <= f.to.Until
	return inLog && inTime && at != f.to
}

// memoBytes is about what a memo takes, besides the text of its flush.
const memoBytes = 512

// bytes is what the flush keeps in memory.
func (f *flush) bytes() int { return cap(f.text) + memoBytes }

// hold keeps room for the text until drop is called as often; ok is false when there is none.
func (f *flush) hold() (ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.users == 0 {
		if f.free, ok = f.room.take(f.bytes()); !ok {
			return false
		}
	}
	f.users++
	return true
}

func (f *flush) drop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.users--; f.users == 0 {
		f.free()
	}
}

// memoKey is a question about one log: another one, as after a restore, has other places.
type memoKey struct {
	question questionKey
	replaced int
}

// memo is the last flush of all viewers that ask the same.
type memo struct {
	turn chan struct{} // has room for the one who makes a flush, or looks at the last one
	last *flush
}

// errLater says that a flush cannot be made at present.
var errLater = errors.New("there is no turn, or no room, for a flush at present")

// flush returns what takes the viewer further; it has to be dropped. Viewers who ask the same, and are at about the same
// place, share one. It is errLater when others take too long, and errEnding when the stream has to end meanwhile: what it was
// about to make, one of the others then makes. cost is what making the flush took, by whomever, or what trying to has taken.
func (c *closer) flush(ctx context.Context, v *viewer) (f *flush, cost time.Duration, err error) {
	err = v.attended(ctx, func(ctx context.Context) (err error) {
		f, cost, err = c.shared(ctx, v)
		return err
	})
	return f, cost, err
}

// shared is flush for as long as ctx lasts.
func (c *closer) shared(ctx context.Context, v *viewer) (f *flush, cost time.Duration, err error) {
	timer := time.NewTimer(c.patience)
	defer timer.Stop()
	wait := func(turns chan struct{}) error {
		select {
		case turns <- struct{}{}:
			return nil
		case <-timer.C:
			return errLater
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	key := memoKey{v.buckets.key, v.replaced}
	m := c.memos.get(key, memoBytes, func() *memo { return &memo{turn: make(chan struct{}, 1)} })
	if err := wait(m.turn); err != nil {
		return nil, 0, err
	}
	defer func() { <-m.turn }()
	if m.last != nil && m.last.serves(v.pos) {
		return held(m.last)
	}
	if err := wait(c.turns); err != nil {
		return nil, 0, err
	}
	defer func() { <-c.turns }()
	began := c.stopwatch()
	f, err = c.make(ctx, v)
	if cost = c.stopwatch().Sub(began); err != nil {
		return nil, cost, err
	}
	f.cost, m.last = cost, f
	c.memos.weigh(key, f.bytes())
	return held(f)
}

func held(f *flush) (*flush, time.Duration, error) {
	if !f.hold() {
		return nil, f.cost, errLater
	}
	return f, f.cost, nil
}
