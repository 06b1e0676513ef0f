package backlog

import (
	"cmp"
	"container/heap"
	"context"
	"sync"
)

// Scheduler shares the processors between viewers that catch up. A few at a time work, each on a bounded piece, so that however
// many reconnect at once, ingest and viewers that follow live do not wait for all of them.
//
// Viewers that are far behind have their turns in ascending order of the log, beginning again with the lowest once the highest
// has had its turn. So distant viewers converge, and what is read and encoded for one serves the others. Viewers that are nearly
// there have every other turn, in order of arrival.
type Scheduler struct {
	mu    sync.Mutex
	free  int
	far   turnQueue
	near  []*turn
	round int   // upwards through the log
	stamp int64 // of the turn given last to a viewer that was far behind
	other bool  // the last turn was for a viewer that was near
}

// turn is a viewer's wait for its turn.
type turn struct {
	round int
	stamp int64
	given chan struct{} // has room for the news
	done  bool          // given, or no longer wanted; guarded by the mu of the scheduler
}

// NewScheduler returns a scheduler that gives the given number of turns at once.
func NewScheduler(free int) *Scheduler { return &Scheduler{free: free} }

// Try takes a turn if one is free.
func (t *Scheduler) Try() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.free == 0 {
		return false
	}
	t.free--
	return true
}

// Take waits for a turn for a viewer at the given stamp. The turn lasts until Give is called. The error is ctx's.
func (t *Scheduler) Take(ctx context.Context, stamp int64, near bool) error {
	t.mu.Lock()
	if t.free > 0 { // since Try
		t.free--
		t.mu.Unlock()
		return nil
	}
	mine := t.wait(stamp, near)
	t.mu.Unlock()
	select {
	case <-mine.given:
		return nil
	case <-ctx.Done():
	}
	t.mu.Lock()
	given := mine.done
	mine.done = true
	t.mu.Unlock()
	if given {
		t.Give()
	}
	return context.Cause(ctx)
}

// wait queues for a turn. The caller holds mu.
func (t *Scheduler) wait(stamp int64, near bool) *turn {
	mine := &turn{round: t.round, stamp: stamp, given: make(chan struct{}, 1)}
	if near {
		t.near = append(t.near, mine)
		return mine
	}
	if stamp < t.stamp {
		mine.round++
	}
	heap.Push(&t.far, mine)
	return mine
}

// Give ends a turn, and begins the next.
func (t *Scheduler) Give() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for {
		next := t.next()
		if next == nil {
			t.free++
			return
		}
		if !next.done {
			next.done = true
			next.given <- struct{}{}
			return
		}
	}
}

// next takes the next wait out of the queues, nil when there is none. The caller holds mu.
func (t *Scheduler) next() *turn {
	if t.other = !t.other && len(t.near) > 0 || len(t.far) == 0; t.other {
		if len(t.near) == 0 {
			return nil
		}
		next := t.near[0]
		t.near[0], t.near = nil, t.near[1:]
		return next
	}
	next := heap.Pop(&t.far).(*turn)
	t.round, t.stamp = next.round, next.stamp
	return next
}

// turnQueue is a heap of waits, by round and stamp.
type turnQueue []*turn

func (q turnQueue) Len() int { return len(q) }
func (q turnQueue) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(q[i].round, q[j].round), cmp.Compare(q[i].stamp, q[j].stamp)) < 0
}
func (q turnQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }

// Push is that of heap.Interface.
func (q *turnQueue) Push(x any) { *q = append(*q, x.(*turn)) }

// Pop is that of heap.Interface.
func (q *turnQueue) Pop() any {
	last := len(*q) - 1
	next := (*q)[last]
	(*q)[last], *q = nil, (*q)[:last]
	return next
}
