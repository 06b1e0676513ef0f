package streaming

import (
	"errors"
	"math"
	"slices"
	"time"

	"telltale/platform/fault"
)

// tickBuckets prepares the buckets that are due, if any are, and sets when the viewer next looks.
func (v *viewer) tickBuckets(started time.Time) error {
	b, c := v.buckets, v.hub.closer
	defer v.setDue()
	if v.page != nil || started.Before(b.rest) || !b.late && c.closed(b) <= v.pos.Until {
		return nil
	}
	b.late = false
	f, cost, err := c.flush(v.hub.work, v)
	rested := time.Now().Add(restFactor * cost)
	switch {
	case errors.Is(err, errEnding):
		return err
	case errors.Is(err, errLater):
		b.late, b.rest = true, time.Now().Add(bucketRetry)
		return nil
	case fault.KindOf(err) == fault.Unavailable: // what took long, and came to nothing, has cost as much as an answer
		b.late, b.rest = true, later(rested, time.Now().Add(bucketRetry))
		return nil
	case err != nil:
		return unreadable{err}
	}
	b.rest = later(rested, started.Add(c.pace))
	if f.more {
		b.late, b.rest = true, rested
	}
	v.pos = f.to
	v.hub.metrics.gaps.Add(float64(f.gaps))
	if len(f.text) == 0 {
		f.drop()
		return nil
	}
	v.page = &page{kind: buckets, at: f.to, text: f.text, free: f.drop, due: time.Now().Add(v.hub.pageTimeout)}
	return nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// setDue sets the clock of a viewer of buckets: to when the bucket after those that it has is to be asked for, or when it may
// look at late readings.
func (v *viewer) setDue() {
	b, c := v.buckets, v.hub.closer
	_, end := b.buckets.Bounds(v.pos.Until)
	v.due = time.Now()
	if !b.late {
		v.due = v.due.Add(time.UnixMilli(end).Add(c.grace).Sub(c.now()))
	}
	if v.due.Before(b.rest) {
		v.due = b.rest
	}
}

// hasten has the viewer look at the log as soon as its pace allows. The caller holds mu.
func (v *viewer) hasten() {
	if !v.buckets.late {
		v.buckets.late = true
		v.setDue()
	}
}

// skim takes a viewer of buckets past what its pump has served meanwhile, if nothing of that can be late for it. Without that,
// a viewer would look at the log all the time while readings keep coming.
func (v *viewer) skim() {
	s := step{from: v.pos.Seq, to: v.pump.pos.Load()}
	if v.buckets != nil && s.from < s.to && !v.torn() && s.earliest(v.hub.window) >= v.pos.Until {
		v.pos.Seq = s.to
	}
}

// overlook tells a parked viewer of buckets of a step. If nothing in it can be late for the viewer, it is past the step; else
// the viewer looks itself, when its pace allows. The caller holds mu.
func (v *viewer) overlook(s *step) {
	end := Position{Seq: s.to, Until: v.pos.Until}
	if v.buckets.late || !v.pos.before(end) {
		return
	}
	if v.pos.Seq >= s.from && (s.earliest(v.hub.window) >= v.pos.Until || !v.concerned(s)) {
		v.pos = end
		v.show()
		return
	}
	v.hasten()
	v.hub.alarms.set(v, v.alarm())
}

// concerned reports whether the step may hold readings that the viewer watches.
func (v *viewer) concerned(s *step) bool {
	f := &v.filter
	switch {
	case s.devices == nil:
		return true
	case f.devices != nil:
		return f.concerns(s.devices)
	case f.sees == nil && f.tags == nil:
		return true
	}
	for device := range s.devices {
		if !f.knows([]string{device}) || f.admits(device) {
			return true
		}
	}
	return false
}

// earliest returns the earliest instant among the step's readings, Unix ms; far in the past when that is not known.
func (s *step) earliest(w window) int64 {
	if s.dated {
		return s.oldest
	}
	s.dated, s.oldest = true, math.MaxInt64
	batches, _, ok := w.Next(s.from)
	if !ok {
		s.oldest = math.MinInt64
	}
	for _, b := range batches {
		if b.Seq > s.to {
			break
		}
		if b.Len() > 0 {
			s.oldest = min(s.oldest, slices.Min(b.TS))
		}
	}
	return s.oldest
}
