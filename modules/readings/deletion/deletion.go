// Package deletion defines what it means that readings are deleted.
//
// It owns the marker that represents a deletion in the log, the masks that hide deleted readings until the chunks no longer contain
// them, and the search for the newest reading that is left. It appends no marker (package batchlog does) and changes no chunk
// (package fold does).
package deletion

import (
	"slices"

	"telltale/modules/readings/chunk"
)

// Marker says that readings ceased to exist with a batch: those of the series with an instant in [From, To), as far as they
// came before it in the log. What comes after it, also for that range, stays.
type Marker struct {
	Series []int32 // ascending
	// From is inclusive, To exclusive; Unix ms.
	From, To int64
}

// Mask hides readings of a series that were deleted and are not out of its chunks yet.
type Mask struct {
	Seq      int64 // of the deletion: it hides what came before it
	From, To int64
}

// Covers reports whether the instant is within what the mask hides.
func (m Mask) Covers(ts int64) bool { return m.From <= ts && ts < m.To }

// After returns those of the masks, which are in the order of the log, that come after seq.
func After(masks []Mask, seq int64) []Mask {
	for len(masks) > 0 && masks[0].Seq <= seq {
		masks = masks[1:]
	}
	return masks
}

// Withhold takes those points out, in place, that a mask hides.
func Withhold(p chunk.Points, masks []Mask) chunk.Points {
	if len(masks) == 0 {
		return p
	}
	n := 0
	for i, ts := range p.TS {
		if !slices.ContainsFunc(masks, func(m Mask) bool { return m.Covers(ts) }) {
			p.TS[n], p.Value[n] = ts, p.Value[i]
			n++
		}
	}
	return chunk.Points{TS: p.TS[:n], Value: p.Value[:n]}
}

// Unmasked returns what no mask covers of [from, to), in order of time.
func Unmasked(masks []Mask, from, to int64) [][2]int64 {
	if len(masks) == 0 {
		return [][2]int64{{from, to}}
	}
	sorted := slices.SortedFunc(slices.Values(masks), func(a, b Mask) int { return int(min(max(a.From-b.From, -1), 1)) })
	var free [][2]int64
	for _, m := range sorted {
		if m.From > from {
			free = append(free, [2]int64{from, min(m.From, to)})
		}
		if from = max(from, m.To); from >= to {
			return free
		}
	}
	return append(free, [2]int64{from, to})
}

// Request is a wish that readings cease to exist.
type Request struct {
	// Devices are ids, at least one; Metrics the metrics meant, none means all.
	Devices, Metrics []string
	// From is inclusive, To exclusive; Unix ms.
	From, To int64
}
