package streaming

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

// alarms looks after parked viewers when it is time: for a heartbeat, for newest readings or buckets, or for the end of their
// credentials. One goroutine does so for all of them.
type alarms struct {
	mu     sync.Mutex
	queue  alarmQueue
	sooner chan struct{} // has room for the news that there is a new first one
}

func newAlarms() *alarms { return &alarms{sooner: make(chan struct{}, 1)} }

// set has the viewer looked after at that time or earlier.
func (a *alarms) set(v *viewer, at time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case v.slot == 0:
		v.rings = at
		heap.Push(&a.queue, v)
	case at.Before(v.rings):
		v.rings = at
		heap.Fix(&a.queue, v.slot-1)
	default:
		return // it is looked after in between, and then sets the alarm again
	}
	if v.slot == 1 {
		select {
		case a.sooner <- struct{}{}:
		default:
		}
	}
}

// remove has the viewer left alone.
func (a *alarms) remove(v *viewer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if v.slot > 0 {
		heap.Remove(&a.queue, v.slot-1)
	}
}

// run looks after viewers until ctx ends.
func (a *alarms) run(ctx context.Context) {
	s := newSender()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case now := <-timer.C:
			for v := a.due(now); v != nil; v = a.due(now) {
				v.ring(now, s)
			}
		case <-a.sooner:
		case <-ctx.Done():
			return
		}
		if first, ok := a.first(); ok {
			timer.Reset(time.Until(first))
		}
	}
}

// due takes the next viewer out of the queue whose time has come, nil when there is none.
func (a *alarms) due(now time.Time) *viewer {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.queue) == 0 || now.Before(a.queue[0].rings) {
		return nil
	}
	return heap.Pop(&a.queue).(*viewer)
}

func (a *alarms) first() (at time.Time, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.queue) == 0 {
		return time.Time{}, false
	}
	return a.queue[0].rings, true
}

// alarmQueue is a heap of viewers by the times at which they are looked after.
type alarmQueue []*viewer

func (q alarmQueue) Len() int           { return len(q) }
func (q alarmQueue) Less(i, j int) bool { return q[i].rings.Before(q[j].rings) }

func (q alarmQueue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].slot, q[j].slot = i+1, j+1
}

// Push is that of heap.Interface.
func (q *alarmQueue) Push(x any) {
	v := x.(*viewer)
	*q = append(*q, v)
	v.slot = len(*q)
}

// Pop is that of heap.Interface.
func (q *alarmQueue) Pop() any {
	last := len(*q) - 1
	v := (*q)[last]
	(*q)[last], *q = nil, (*q)[:last]
	v.slot = 0
	return v
}
