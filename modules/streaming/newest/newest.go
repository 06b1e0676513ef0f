// Package newest captures the newest readings of series as of one batch: for a stream that begins with a snapshot, for a paced
// viewer, and for a slow viewer that takes newest readings instead of all.
//
// Snapshot and Update are being sent to one viewer: they track what is left and append it piece by piece. Only their last event has
// an id, so that a viewer whose connection breaks in between resumes from its earlier position.
//
// The package does not decide when a viewer gets newest readings, and it writes to no socket.
package newest

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"telltale/modules/readings/batchlog"
	"telltale/modules/series"
	"telltale/modules/streaming/budget"
	"telltale/modules/streaming/event"
	"telltale/modules/streaming/filter"
	"telltale/platform/fault"
)

const (
	// maxSnapshot is the most series that a stream may begin with.
	maxSnapshot = 100_000
	// stateBytes is about the memory of one series' newest reading.
	stateBytes = 112
)

// window is the recent window.
type window interface {
	Next(stamp int64) (batches []*batchlog.Batch, changed <-chan struct{}, ok bool)
}

// registry knows the newest reading of every series.
type registry interface {
	Capture(w series.Wanted, most int) (states []series.State, stamp int64, ok bool)
	Size() int
	Settled() int64
	SettledSince(number int64) (ids []int32, ok bool)
}

// retention tells whether the newest reading of a series is still kept.
type retention interface {
	Keeps(newest series.State) bool
}

// Source captures newest readings.
type Source struct {
	Registry  registry
	Window    window
	Retention retention
	// Budget limits the readings that are being sent.
	Budget *budget.Bytes
}

// Snapshot returns the newest reading of each series that the filter lets through. The error is an Invalid fault when these are
// too many, and Unavailable when too much is being sent already.
func (s *Source) Snapshot(ctx context.Context, f *filter.Filter) (*Snapshot, error) {
	p, fits, err := s.capture(ctx, f, series.Wanted{After: -1}, maxSnapshot)
	switch {
	case err != nil:
		return nil, err
	case !fits:
		return nil, fault.InvalidField("snapshot", "would begin with more than %d series: narrow it by device, tag or metric", maxSnapshot)
	case p == nil:
		return nil, fault.Busy(time.Second, nil, "too many snapshots are being sent")
	}
	return &Snapshot{*p}, nil
}

// Skipped returns the newest reading of each series that the filter lets through and that has a newer one since the position; nil
// when the budget has no room at present.
func (s *Source) Skipped(ctx context.Context, f *filter.Filter, since event.Position) (*Snapshot, error) {
	p, _, err := s.capture(ctx, f, series.Wanted{After: since.Stamp}, noLimit)
	if p == nil || err != nil {
		return nil, err
	}
	return &Snapshot{*p}, nil
}

const noLimit = math.MaxInt

// Update returns what Skipped does, up to the head or a little beyond, as readings; and the series whose newest reading is now a
// forecast, from that settlement on. It is nil when there is nothing new.
func (s *Source) Update(ctx context.Context, f *filter.Filter, since event.Position, fromSettled int64) (*Update, error) {
	nextSettled := s.Registry.Settled() + 1 // asked before: what is settled meanwhile may come twice, and is not left out
	wanted, head := series.Wanted{After: since.Stamp, FromSettled: fromSettled}, since
	batches, _, ok := s.Window.Next(since.Stamp)
	if ok && len(batches) == 0 && nextSettled == fromSettled {
		return nil, nil
	}
	if f.Devices() == nil && ok {
		wanted.IDs = s.concerned(batches, fromSettled)
		if len(batches) > 0 {
			head = event.Position{Stamp: batches[len(batches)-1].Stamp()}
		}
	}
	p, _, err := s.capture(ctx, f, wanted, noLimit)
	if p == nil || err != nil {
		return nil, err
	}
	if wanted.IDs != nil {
		// A later batch may have been observed already, but only for these series.
		p.at = head
		slices.SortFunc(p.states, func(a, b series.State) int {
			return cmp.Or(cmp.Compare(a.Device, b.Device), cmp.Compare(a.Metric, b.Metric))
		})
	}
	return &Update{*p, nextSettled}, nil
}

// concerned returns the ids of series that the batches concern, or whose newest reading is a forecast since that settlement; nil when
// looking at every series costs less.
func (s *Source) concerned(batches []*batchlog.Batch, fromSettled int64) []int32 {
	settled, ok := s.Registry.SettledSince(fromSettled)
	count := len(settled)
	for _, b := range batches {
		count += b.Len()
		if b.Deletion != nil {
			count += len(b.Deletion.Series)
		}
	}
	if !ok || count >= s.Registry.Size() {
		return nil
	}
	ids := append(make([]int32, 0, count), settled...)
	for _, b := range batches {
		ids = append(ids, b.Series...)
		if b.Deletion != nil { // what is newest now may be older
			ids = append(ids, b.Deletion.Series...)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// capture returns the set of the wanted series that pass the filter and are still kept, nil when the budget has no room.
func (s *Source) capture(ctx context.Context, f *filter.Filter, wanted series.Wanted, most int) (_ *set, fits bool, err error) {
	wanted.Devices, wanted.Metrics = f.Devices(), f.Metrics()
	var strangers []string
	if !f.Listed() {
		wanted.Keep = func(device string) bool {
			if !f.Permits(device) {
				return false
			}
			if !f.Knows([]string{device}) {
				strangers = append(strangers, device)
			}
			return f.Admits(device)
		}
	}
	for {
		strangers = nil
		states, stamp, fits := s.Registry.Capture(wanted, most)
		if len(strangers) > 0 {
			if err := f.Learn(ctx, strangers); err != nil {
				return nil, true, fmt.Errorf("looking tags up: %w", err)
			}
			continue
		}
		if !fits {
			return nil, false, nil
		}
		states = slices.DeleteFunc(states, func(newest series.State) bool { return !s.Retention.Keeps(newest) })
		free, ok := s.Budget.Take(len(states) * stateBytes)
		if !ok {
			return nil, true, nil
		}
		return &set{at: event.Position{Stamp: stamp}, states: states, free: free}, true, nil
	}
}
