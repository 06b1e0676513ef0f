package batchlog

import (
	"slices"
	"time"

	"telltale/modules/readings/chunk"
	"telltale/modules/readings/deletion"
	"telltale/modules/series"
)

// Ref is the place of a reading in the log: the seq of its batch and its index there. Refs of a series ascend.
type Ref uint64

const refIndexBits = 24

func makeRef(seq int64, index int) Ref { return Ref(seq)<<refIndexBits | Ref(index) }

func (r Ref) seq() int64 { return int64(r >> refIndexBits) }
func (r Ref) index() int { return int(r & MaxBatchReadings) }

// View is the indexed part of the window at one moment, for some series.
type View struct {
	Head    int64
	Stamp   int64 // of the head
	Folded  int64 // every batch up to here was in chunks
	first   int64 // seq of batches[0]
	batches []*Batch
	Series  []int32
	refs    [][]Ref           // parallel to series
	masks   [][]deletion.Mask // parallel to series; nil when nothing is deleted
}

// UpTo returns the view without what came after the batch with that seq and stamp.
func (v View) UpTo(head, stamp int64) View {
	if head < v.Head {
		v.Head, v.Stamp = head, stamp
	}
	return v
}

// Pick returns the view of some of its series, by their indexes.
func (v View) Pick(indexes []int) View {
	of := v
	of.Series, of.refs, of.masks = make([]int32, len(indexes)), make([][]Ref, len(indexes)), nil
	if v.masks != nil {
		of.masks = make([][]deletion.Mask, len(indexes))
	}
	for to, from := range indexes {
		of.Series[to], of.refs[to] = v.Series[from], v.refs[from]
		if v.masks != nil {
			of.masks[to] = v.masks[from]
		}
	}
	return of
}

// BatchesAfter returns the batches with seq in (after, head], oldest first.
func (v View) BatchesAfter(after int64) []*Batch {
	to := max(min(v.Head+1-v.first, int64(len(v.batches))), 0)
	return v.batches[min(max(after+1-v.first, 0), to):to]
}

// StampAt returns the stamp of a batch of the view.
func (v View) StampAt(seq int64) int64 { return v.batches[seq-v.first].Stamp() }

// Points returns the i-th series' readings with seq in (after, head] and ts in [from, to), in order of time, the
// newest seq for each instant.
func (v View) Points(i int, after, from, to int64) chunk.Points {
	return v.Collect(v.shown(v.Between(i, after, v.Head), v.Hidden(i, after)), from, to)
}

// Between returns where the i-th series' readings with seq in (after, until] are, but for those after the head.
func (v View) Between(i int, after, until int64) []Ref {
	refs := v.refs[i]
	first, _ := slices.BinarySearch(refs, makeRef(after+1, 0))
	last, _ := slices.BinarySearch(refs, makeRef(min(until, v.Head)+1, 0))
	return refs[min(first, last):last]
}

// Collect returns those of the readings that have a ts in [from, to), in order of time, the newest for each instant.
func (v View) Collect(refs []Ref, from, to int64) chunk.Points {
	var p chunk.Points
	sorted := true
	for _, r := range refs {
		b, k := v.batches[r.seq()-v.first], r.index()
		ts := b.TS[k]
		if ts < from || ts >= to {
			continue
		}
		if n := len(p.TS); n > 0 && ts <= p.TS[n-1] {
			sorted = false
		}
		p.TS, p.Value = append(p.TS, ts), append(p.Value, b.Value[k])
	}
	if !sorted {
		p = p.SortedLastWins()
	}
	return p
}

// Hidden returns the masks of the i-th series with seq in (after, head].
func (v View) Hidden(i int, after int64) []deletion.Mask {
	if v.masks == nil {
		return nil
	}
	masks := deletion.After(v.masks[i], after)
	for len(masks) > 0 && masks[len(masks)-1].Seq > v.Head {
		masks = masks[:len(masks)-1]
	}
	return masks
}

// shown returns those of a series' refs that no mask hides.
func (v View) shown(refs []Ref, masks []deletion.Mask) []Ref {
	if len(masks) == 0 {
		return refs
	}
	var left []Ref
	for _, r := range refs {
		ts := v.batches[r.seq()-v.first].TS[r.index()]
		if !slices.ContainsFunc(masks, func(m deletion.Mask) bool { return m.Seq > r.seq() && m.Covers(ts) }) {
			left = append(left, r)
		}
	}
	return left
}

// Instants returns those of the i-th series' readings within [from, to), in ascending order.
func (v View) Instants(i int, from, to int64) []int64 {
	var all []int64
	for _, r := range v.refs[i] {
		if ts := v.batches[r.seq()-v.first].TS[r.index()]; ts >= from && ts < to {
			all = append(all, ts)
		}
	}
	if !slices.IsSorted(all) {
		slices.Sort(all)
	}
	return all
}

// Count returns how many readings the i-th series has with seq in (after, head] and ts in [from, to), and the newest of
// those seqs, 0 without any.
func (v View) Count(i int, after, from, to int64) (count, newest int64) {
	for _, r := range v.refs[i] {
		seq := r.seq()
		if seq <= after || seq > v.Head {
			continue
		}
		if ts := v.batches[seq-v.first].TS[r.index()]; ts >= from && ts < to {
			count++
			newest = seq
		}
	}
	return count, newest
}

// Newest is what of some readings of a series is newest.
type Newest struct {
	TS      int64 // of those that are not ahead of now; NoReading without any
	Value   float64
	Ahead   int64 // of the others; NoReading without any
	Arrived time.Time
}

// NewestOf returns the newest of the readings, in time and then in the log. There must be one.
func (v View) NewestOf(refs []Ref, horizon int64) Newest {
	n := Newest{TS: series.NoReading, Ahead: series.NoReading}
	for _, r := range refs {
		b, k := v.batches[r.seq()-v.first], r.index()
		switch ts := b.TS[k]; {
		case ts > horizon:
			n.Ahead = max(n.Ahead, ts)
		case ts >= n.TS:
			n.TS, n.Value = ts, b.Value[k]
		}
		n.Arrived = b.CommittedAt
	}
	return n
}
