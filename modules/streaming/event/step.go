package event

import (
	"maps"
	"math"
	"slices"
	"time"

	"telltale/modules/readings/batchlog"
)

const (
	// stepBatches is the most batches that are joined into one step.
	stepBatches = 1024
	// StepBytes is the most text that is joined into one step. A larger batch is left to the viewers that it concerns: each
	// writes it in its own goroutine.
	StepBytes = 256 << 10
)

// Step is what a pump does in one round: for each viewer, the events of the batches in (From, To]. Viewers that the step concerns
// have to read the batches themselves unless the step is whole.
type Step struct {
	From, To  int64
	Committed time.Time // when the first of the batches was
	Parts     []*Encoded
	Whole     bool             // whether Parts hold every event
	Devices   map[string]int32 // keys are those that have events in the step; nil when that is not known

	dated  bool  // whether oldest is known
	oldest int64 // see Earliest
}

// Plan takes as many batches as fit into one write, or a single batch that is too large for that. It may put the step's devices
// into the given set, which it clears first.
func (c *Cache) Plan(stamp int64, batches []*batchlog.Batch, set map[string]int32) Step {
	next := Step{From: stamp, To: stamp, Committed: batches[0].CommittedAt, Whole: true}
	bytes := 0
	for _, b := range batches[:min(len(batches), stepBatches)] {
		if len(b.Dropped) > 0 {
			c.Forget()
		}
		parts, text := c.All(b, StepBytes-bytes)
		if text < 0 {
			break
		}
		next.Parts, bytes, next.To = append(next.Parts, parts...), bytes+text, b.Stamp()
	}
	if next.To == stamp {
		return Step{From: stamp, To: batches[0].Stamp(), Devices: devicesOf(batches[0], c.names)}
	}
	next.collectDevices(set)
	next.addDeleted(batches, set, c.names)
	return next
}

func (s *Step) collectDevices(set map[string]int32) {
	if len(s.Parts) == 1 {
		s.Devices = s.Parts[0].index
		return
	}
	clear(set)
	for _, part := range s.Parts {
		maps.Copy(set, part.index)
	}
	s.Devices = set
}

// addDeleted adds the devices that lost readings to deletions among the step's batches: buckets of theirs have changed.
func (s *Step) addDeleted(batches []*batchlog.Batch, set map[string]int32, names names) {
	shared := len(s.Parts) == 1 // the index of its only part is that part's
	for _, b := range batches {
		if b.Stamp() > s.To {
			return
		}
		if b.Deletion == nil {
			continue
		}
		if shared {
			clear(set)
			maps.Copy(set, s.Parts[0].index)
			s.Devices, shared = set, false
		}
		for _, id := range b.Deletion.Series {
			if series, ok := names.ByID(id); ok {
				set[series.Device] = 0
			}
		}
	}
}

// devicesOf returns the devices that have readings in a batch.
func devicesOf(b *batchlog.Batch, names names) map[string]int32 {
	devices, known := map[string]int32{}, map[int32]bool{}
	for _, id := range b.Series {
		if known[id] {
			continue
		}
		known[id] = true
		if series, ok := names.ByID(id); ok {
			devices[series.Device] = 0
		}
	}
	return devices
}

// window is the recent window.
type window interface {
	Next(stamp int64) (batches []*batchlog.Batch, changed <-chan struct{}, ok bool)
}

// Earliest returns the earliest time among the readings that the step brings or deletes, Unix ms; far in the past when that is
// not known.
func (s *Step) Earliest(w window) int64 {
	if s.dated {
		return s.oldest
	}
	s.dated, s.oldest = true, math.MaxInt64
	batches, _, ok := w.Next(s.From)
	if !ok {
		s.oldest = math.MinInt64
	}
	for _, b := range batches {
		if b.Stamp() > s.To {
			break
		}
		if b.Len() > 0 {
			s.oldest = min(s.oldest, slices.Min(b.TS))
		}
		if b.Deletion != nil {
			s.oldest = min(s.oldest, b.Deletion.From)
		}
	}
	return s.oldest
}
