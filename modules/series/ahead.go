package series

import (
	"container/heap"
	"time"
)

// AheadGrace is how far ahead of now a reading may be and still count as present: clocks of devices are not exact.
const AheadGrace = 5 * time.Minute

// A reading that is further ahead of now is a forecast. It is stored, and found by history, but is no series' newest reading
// before its time: it would hide what is. Of forecasts the registry keeps no values, only when the next one of each series
// becomes present. Then it is looked up (Due), and becomes the newest reading (Settle).

// forecast is when a series has to be looked up.
type forecast struct {
	// next is a lower bound of the instants of all readings after LastTS.
	next int64
	// ahead is how far a lookup goes beyond now to find the next one, in milliseconds.
	ahead int64
}

// The bounds of forecast.ahead, and how many readings a lookup may find there before the next one looks less far.
const (
	shortestAhead = int64(time.Second / time.Millisecond)
	longestAhead  = int64(24 * time.Hour / time.Millisecond)
	manyAhead     = 64
)

// Due is a series whose readings from Next on, as far as they are not ahead of Horizon, have become present. Both are in
// Unix milliseconds.
type Due struct {
	ID            int32
	Next, Horizon int64
	// Until is how far to look for the reading after those, exclusive.
	Until int64
}

// Found is what a lookup of a Due has found, in the log up to the batch with the stamp.
type Found struct {
	Due
	Stamp int64
	// TS and Value are the newest reading that is not after Horizon; TS is NoReading if there is none.
	TS    int64
	Value float64
	// After is the instant of the first reading after Horizon and before Until, NoReading without one.
	After int64
	// Count is how many readings there are between Horizon and Until.
	Count int
}

// UseClock sets what tells the time in place of the system's clock, for tests. Call it before use.
func (r *Registry) UseClock(now func() time.Time) { r.now = now }

// Horizon returns the last instant (Unix ms) that is not ahead of now.
func (r *Registry) Horizon() int64 { return r.now().Add(AheadGrace).UnixMilli() }

// foresee notes that a series may have readings from the instant on that are not looked at yet. The caller holds mu.
func (r *Registry) foresee(id int32, next, ahead int64) {
	known, ok := r.forecasts[id]
	if ok {
		ahead = known.ahead
		if known.next <= next {
			return
		}
	}
	r.forecasts[id] = forecast{next, ahead}
	heap.Push(&r.agenda, appointment{next, id})
	if len(r.agenda) > 2*len(r.forecasts)+keptSettlements {
		r.tidy()
	}
}

// tidy removes the appointments that have been moved. The caller holds mu.
func (r *Registry) tidy() {
	r.agenda = make(agenda, 0, len(r.forecasts))
	for id, f := range r.forecasts {
		r.agenda = append(r.agenda, appointment{f.next, id})
	}
	heap.Init(&r.agenda)
}

// admit corrects the state of a series as it comes from the database: another clock, or an older version of Telltale, may
// have taken a reading for its newest that is ahead of now. The caller holds mu.
func (r *Registry) admit(s *State, horizon int64) {
	if s.LastTS > horizon {
		s.AheadTS = max(s.AheadTS, s.LastTS)
		s.LastTS, s.LastValue = NoReading, 0
	}
	if s.AheadTS > s.LastTS {
		r.foresee(s.ID, s.LastTS+1, shortestAhead)
	}
}

// TakeDue returns up to most series whose forecasts have become present. Each has to be given back by Settle or Postpone.
func (r *Registry) TakeDue(most int) (due []Due) {
	horizon := r.Horizon()
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(due) < most && len(r.agenda) > 0 && r.agenda[0].at <= horizon {
		next := heap.Pop(&r.agenda).(appointment)
		known, ok := r.forecasts[next.id]
		if !ok || known.next != next.at { // it has been moved, or the series is gone
			continue
		}
		delete(r.forecasts, next.id)
		due = append(due, Due{ID: next.id, Next: next.at, Horizon: horizon, Until: horizon + 1 + known.ahead})
	}
	return due
}

// Postpone gives back what could not be looked up: it stays due.
func (r *Registry) Postpone(due []Due) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, d := range due {
		if r.at(d.ID) != nil {
			r.foresee(d.ID, d.Next, d.Until-d.Horizon-1)
		}
	}
}

// Settle makes what has been found the newest readings, as far as none has come meanwhile that is newer.
func (r *Registry) Settle(found []Found) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.settled++
	for _, f := range found {
		if s := r.at(f.ID); s != nil {
			r.settle(s, f)
		}
	}
	if over := len(r.settlements) - keptSettlements; over > keptSettlements {
		r.settlementsFrom = r.settlements[over-1].number + 1
		r.settlements = append([]settlement(nil), r.settlements[over:]...)
	}
}

// Deleted tells the registry that the batch with the stamp deletes readings: what was looked up before it has to be looked up again.
func (r *Registry) Deleted(stamp int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.deleted = stamp
}

// settle is Settle for one series. The caller holds mu.
func (r *Registry) settle(s *State, f Found) {
	if f.Stamp < r.deleted {
		r.foresee(s.ID, f.Next, f.Until-f.Horizon-1)
		return
	}
	if f.TS != NoReading && (f.TS > s.LastTS || f.TS == s.LastTS && f.Value != s.LastValue && s.LastStamp <= f.Stamp) {
		s.LastTS, s.LastValue, s.settled = f.TS, f.Value, r.settled
		r.settlements = append(r.settlements, settlement{r.settled, s.ID})
	}
	ahead := f.Until - f.Horizon - 1
	switch {
	case f.Count > manyAhead:
		ahead = max(ahead/2, shortestAhead)
	case f.After == NoReading:
		ahead = min(ahead*2, longestAhead)
	}
	switch {
	case f.After != NoReading:
		r.foresee(s.ID, f.After, ahead)
	case s.AheadTS >= f.Until:
		r.foresee(s.ID, f.Until, ahead)
	}
}

// keptSettlements is how many settled series are remembered at least.
const keptSettlements = 4096

// settlement says that a forecast became the newest reading of a series, and the number of the call of Settle that made it so.
type settlement struct {
	number int64
	id     int32
}

// Settled returns how often Settle has been called. It is the number of the last settlement.
func (r *Registry) Settled() int64 {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.settled
}

// SettledSince returns the ids of series of which the settlement with the number given, or a later one, has changed the newest
// reading; ok is false when that was too long ago to be known. An id may come twice.
func (r *Registry) SettledSince(number int64) (ids []int32, ok bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if number < r.settlementsFrom {
		return nil, false
	}
	for i := len(r.settlements) - 1; i >= 0 && r.settlements[i].number >= number; i-- {
		ids = append(ids, r.settlements[i].id)
	}
	return ids, true
}

// appointment is when a series has to be looked up.
type appointment struct {
	at int64
	id int32
}

// agenda is a heap of appointments, the next one first. Some of them may have been moved: see Registry.forecasts.
type agenda []appointment

func (a agenda) Len() int           { return len(a) }
func (a agenda) Less(i, j int) bool { return a[i].at < a[j].at }
func (a agenda) Swap(i, j int)      { a[i], a[j] = a[j], a[i] }

// Push implements heap.Interface.
func (a *agenda) Push(x any) { *a = append(*a, x.(appointment)) }

// Pop implements heap.Interface.
func (a *agenda) Pop() any {
	last := (*a)[len(*a)-1]
	*a = (*a)[:len(*a)-1]
	return last
}
