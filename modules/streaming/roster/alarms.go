package roster

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

// Alarms calls a function for each member when its time has come. One goroutine, Run, does so for all members. Alarms is safe for
// concurrent use.
type Alarms[M timed] struct {
	sooner chan struct{} // has room for the news that there is a new first one

	mu    sync.Mutex
	queue alarmQueue[M]
}

// Alarm is the time at which a member rings. The member embeds it, and the mutex of the Alarms guards it.
type Alarm struct {
	at   time.Time
	slot int // index in the queue, from 1; 0 when it is not there
}

type timed interface {
	comparable
	alarm() *Alarm
}

func (a *Alarm) alarm() *Alarm { return a }

// NewAlarms returns alarms without members.
func NewAlarms[M timed]() *Alarms[M] { return &Alarms[M]{sooner: make(chan struct{}, 1)} }

// Set makes the member ring at that time, or at its earlier one if it has one.
func (a *Alarms[M]) Set(m M, at time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	alarm := m.alarm()
	switch {
	case alarm.slot == 0:
		alarm.at = at
		heap.Push(&a.queue, m)
	case at.Before(alarm.at):
		alarm.at = at
		heap.Fix(&a.queue, alarm.slot-1)
	default:
		return // it is looked after in between, and then sets the alarm again
	}
	if alarm.slot == 1 {
		select {
		case a.sooner <- struct{}{}:
		default:
		}
	}
}

// Remove cancels the member's alarm.
func (a *Alarms[M]) Remove(m M) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if slot := m.alarm().slot; slot > 0 {
		heap.Remove(&a.queue, slot-1)
	}
}

// Run calls ring for each member whose time has come, until ctx ends. A member rings once for each time that it was set; ring may set it
// again.
func (a *Alarms[M]) Run(ctx context.Context, ring func(m M, now time.Time)) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case now := <-timer.C:
			for m, ok := a.due(now); ok; m, ok = a.due(now) {
				ring(m, now)
			}
		case <-a.sooner:
		case <-ctx.Done():
			return
		}
		if first, ok := a.First(); ok {
			timer.Reset(time.Until(first))
		}
	}
}

// due takes the next member out of the queue whose time has come; ok is false when there is none.
func (a *Alarms[M]) due(now time.Time) (next M, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.queue) == 0 || now.Before(a.queue[0].alarm().at) {
		return next, false
	}
	return heap.Pop(&a.queue).(M), true
}

// First returns when the next member rings; ok is false when there is none.
func (a *Alarms[M]) First() (at time.Time, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.queue) == 0 {
		return time.Time{}, false
	}
	return a.queue[0].alarm().at, true
}

// alarmQueue is a heap of members by the times at which they ring.
type alarmQueue[M timed] []M

func (q alarmQueue[M]) Len() int           { return len(q) }
func (q alarmQueue[M]) Less(i, j int) bool { return q[i].alarm().at.Before(q[j].alarm().at) }

func (q alarmQueue[M]) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].alarm().slot, q[j].alarm().slot = i+1, j+1
}

// Push is that of heap.Interface.
func (q *alarmQueue[M]) Push(x any) {
	m := x.(M)
	*q = append(*q, m)
	m.alarm().slot = len(*q)
}

// Pop is that of heap.Interface.
func (q *alarmQueue[M]) Pop() any {
	last := len(*q) - 1
	m := (*q)[last]
	var none M
	(*q)[last], *q = none, (*q)[:last]
	m.alarm().slot = 0
	return m
}
