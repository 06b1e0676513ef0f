package streaming

import (
	"context"
	"errors"
	"time"

	"telltale/modules/streaming/event"
	"telltale/modules/streaming/livebucket"
	"telltale/platform/fault"
)

const (
	// bucketPace is how often a viewer's buckets are asked for again because of late readings.
	bucketPace = time.Second
	// pauseFactor is how many times as long as a flush took to make, for this viewer or one that it shares the flush with, the
	// viewer then asks for none.
	pauseFactor = 3
	// bucketRetry is how long a viewer waits before it tries again when there was no permit, no budget or no database.
	bucketRetry = 250 * time.Millisecond
)

// bucketing is what a viewer of buckets has that others do not. The viewer's owner alone uses it.
type bucketing struct {
	*livebucket.Question
	late      bool      // the log may hold changes of buckets that the viewer has got
	notBefore time.Time // when the next flush may be asked for
}

// locateBuckets finds out where a viewer of buckets begins.
//
// A position without a time, such as the seq of a history answer, is as good as one: readings after it count as late
// for every bucket that is over, and those before it were in the answer.
func (v *viewer) locateBuckets() {
	r, b, closed := v.request, v.buckets, v.hub.buckets.Closed(v.buckets.Question)
	v.pos = event.Position{Stamp: v.hub.window.Head(), Until: closed}
	until := closed
	switch {
	case r.From != nil:
		v.pos.Stamp = r.From.Stamp
		if r.From.Until > 0 {
			until = r.From.Until
		}
	case r.Snapshot:
		until = closed - 1
	case !r.Since.IsZero():
		until = r.Since.UnixMilli()
	}
	if until < closed {
		v.pos.Until, _ = b.Bounds(max(until, 0))
	}
}

// tickBuckets prepares the buckets that are due, if any are, and sets when the viewer next looks.
func (v *viewer) tickBuckets(started time.Time) error {
	b, maker := v.buckets, v.hub.buckets
	defer v.setDue()
	if v.digest != nil || started.Before(b.notBefore) || !b.late && maker.Closed(b.Question) <= v.pos.Until {
		return nil
	}
	b.late = false
	f, cost, err := v.flush()
	rested := time.Now().Add(pauseFactor * cost)
	switch {
	case errors.Is(err, errEnding):
		return err
	case errors.Is(err, livebucket.ErrLater):
		b.late, b.notBefore = true, time.Now().Add(bucketRetry)
		return nil
	case fault.KindOf(err) == fault.Unavailable: // what took long, and came to nothing, has cost as much as an answer
		b.late, b.notBefore = true, later(rested, time.Now().Add(bucketRetry))
		return nil
	case err != nil:
		return unreadable{err}
	}
	b.notBefore = later(rested, started.Add(v.hub.bucketPace))
	if f.More {
		b.late, b.notBefore = true, rested
	}
	v.pos = f.To
	v.hub.metrics.Gaps.Add(float64(f.Gaps))
	if f.Empty() {
		f.Release()
		return nil
	}
	v.digest = v.hub.newDigest(livebucket.TextOf(f))
	return nil
}

// flush asks for the viewer's next flush. It is errEnding when the stream has to end meanwhile.
func (v *viewer) flush() (f *livebucket.Flush, cost time.Duration, err error) {
	err = v.attended(v.hub.work, func(ctx context.Context) (err error) {
		f, cost, err = v.hub.buckets.Flush(ctx, v.buckets.Question, livebucket.Point{Position: v.pos, Replaced: v.replaced})
		return err
	})
	return f, cost, err
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
	b := v.buckets
	v.due = time.Now()
	if !b.late {
		v.due = v.due.Add(v.hub.buckets.Wait(b.Question, v.pos.Until))
	}
	if v.due.Before(b.notBefore) {
		v.due = b.notBefore
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
	s := event.Step{From: v.pos.Stamp, To: v.pump.pos.Load()}
	if v.buckets != nil && s.From < s.To && !v.inOtherLog() && s.Earliest(v.hub.window) >= v.pos.Until {
		v.pos.Stamp = s.To
	}
}

// overlook tells a parked viewer of buckets of a step. If nothing in it can be late for the viewer, it is past the step; else
// the viewer looks itself, when its pace allows. The caller holds mu.
func (v *viewer) overlook(s *event.Step) {
	end := event.Position{Stamp: s.To, Until: v.pos.Until}
	if v.buckets.late || !v.pos.Before(end) {
		return
	}
	if v.pos.Stamp >= s.From && (s.Earliest(v.hub.window) >= v.pos.Until || !v.concerned(s)) {
		v.pos = end
		v.show()
		return
	}
	v.hasten()
	v.hub.alarms.Set(v, v.nextAlarm())
}

// concerned reports whether the step may hold readings that the viewer watches.
func (v *viewer) concerned(s *event.Step) bool {
	f := &v.filter
	switch {
	case s.Devices == nil:
		return true
	case f.Devices() != nil:
		return f.Concerns(s.Devices)
	case f.Listed():
		return true
	}
	for device := range s.Devices {
		if !f.Knows([]string{device}) || f.Admits(device) {
			return true
		}
	}
	return false
}
