package readings

import (
	"slices"
	"sync"
)

// Window is the recent window: the tail of the log in memory. It holds every batch that is not folded yet, indexed by
// series, and behind those as much of the folded log as fits into its budget, for viewers that resume.
//
// Methods are safe for concurrent use. What they return is shared and must not be modified.
type Window struct {
	budget int // bytes of folded batches to keep

	mu      sync.RWMutex
	batches []*Batch // consecutive seqs, oldest first
	head    int64    // seq of the newest batch ever applied
	bytes   int      // size of batches
	refs    [][]ref  // by series id: where its readings with seq > folded are, in log order
	folded  int64    // every batch up to here is in chunks
	pending int      // readings with seq > folded
	changed chan struct{}

	replaced     int   // how often Replace was called
	replacedHead int64 // the head that it was given last
}

// ref is the place of a reading in the log: the seq of its batch and its index there. Refs of a series ascend.
type ref uint64

const refIndexBits = 24

func makeRef(seq int64, index int) ref { return ref(seq)<<refIndexBits | ref(index) }

func (r ref) seq() int64 { return int64(r >> refIndexBits) }
func (r ref) index() int { return int(r & MaxBatchReadings) }

// NewWindow returns an empty window that keeps about budget bytes of folded batches.
func NewWindow(budget int) *Window {
	return &Window{budget: budget, changed: make(chan struct{})}
}

// Reset makes the window begin after seq folded, with nothing in it.
func (w *Window) Reset(folded int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reset(folded)
}

// Replace is Reset for a log that is not the one whose batches the window held: a seq stands for another batch now, or for
// none. head is the seq of the newest batch that the log has.
func (w *Window) Replace(folded, head int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.replaced++
	w.replacedHead = head
	w.reset(folded)
}

// Replaced returns how often the log has turned out to be another one, and the seq of the newest batch that it had then.
func (w *Window) Replaced() (times int, head int64) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.replaced, w.replacedHead
}

// reset empties the window. The caller holds mu.
func (w *Window) reset(folded int64) {
	w.batches, w.refs, w.bytes, w.pending = nil, nil, 0, 0
	w.head, w.folded = folded, folded
	w.signal()
}

// Apply adds the batch after the head. Readings of series that it drops leave the index.
func (w *Window) Apply(b *Batch) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.batches = append(w.batches, b)
	w.head = b.Seq
	w.bytes += b.size()
	if b.Seq > w.folded {
		w.pending += b.Len()
	}
	for i, id := range b.Series {
		if n := int(id) + 1 - len(w.refs); n > 0 {
			w.refs = append(w.refs, make([][]ref, n)...)
		}
		w.refs[id] = append(w.refs[id], makeRef(b.Seq, i))
	}
	for _, id := range b.Dropped {
		if int(id) < len(w.refs) {
			w.refs[id] = nil
		}
	}
	w.trim()
	w.signal()
}

// Folded tells the window that every batch up to seq is in chunks: their readings leave the index. Queries that have captured
// them go on with what they have; one that begins now finds them in chunks.
func (w *Window) Folded(seq int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if seq <= w.folded {
		return
	}
	for i := len(w.batches) - 1; i >= 0 && w.batches[i].Seq > w.folded; i-- {
		if w.batches[i].Seq <= seq {
			w.pending -= w.batches[i].Len()
		}
	}
	w.folded = seq
	for id, refs := range w.refs {
		w.refs[id] = refsAfter(refs, seq)
	}
	w.trim()
}

// refsAfter returns the refs of batches after seq, without keeping the memory of the others.
func refsAfter(refs []ref, seq int64) []ref {
	n, _ := slices.BinarySearch(refs, makeRef(seq+1, 0))
	switch {
	case n == 0:
		return refs
	case n == len(refs):
		return nil
	default:
		return slices.Clone(refs[n:])
	}
}

// trim drops the oldest batches that are folded, a quarter of the budget at a time. The caller holds mu.
func (w *Window) trim() {
	if w.bytes <= w.budget+w.budget/4 {
		return
	}
	n := 0
	for n < len(w.batches) && w.batches[n].Seq <= w.folded && w.bytes > w.budget {
		w.bytes -= w.batches[n].size()
		n++
	}
	if n > 0 {
		// A new array, since views of the old one may be in use and must not see it change.
		w.batches = slices.Clone(w.batches[n:])
	}
}

// signal wakes everyone who waits for a change. The caller holds mu.
func (w *Window) signal() {
	close(w.changed)
	w.changed = make(chan struct{})
}

// Head returns the seq of the newest batch applied.
func (w *Window) Head() int64 {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.head
}

// newest returns the newest batch held, nil when there is none.
func (w *Window) newest() *Batch {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if len(w.batches) == 0 {
		return nil
	}
	return w.batches[len(w.batches)-1]
}

// Next returns the batches after seq, oldest first, none when seq is the head, and a channel that is closed when the next
// batch comes. ok is false when the window does not reach back so far; the log table has to be read then.
func (w *Window) Next(seq int64) (batches []*Batch, changed <-chan struct{}, ok bool) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if seq >= w.head {
		return nil, w.changed, true
	}
	if len(w.batches) == 0 || w.batches[0].Seq > seq+1 {
		return nil, w.changed, false
	}
	return w.batches[seq+1-w.batches[0].Seq:], w.changed, true
}

// Stats is what the window holds.
type Stats struct {
	Head, Folded int64
	Batches      int
	Bytes        int
	// Unfolded counts the readings that no chunk holds yet.
	Unfolded int
}

// Stats returns what the window holds.
func (w *Window) Stats() Stats {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return Stats{Head: w.head, Folded: w.folded, Batches: len(w.batches), Bytes: w.bytes, Unfolded: w.pending}
}

// view is the indexed part of the window at one moment, for some series.
type view struct {
	head    int64
	folded  int64 // every batch up to here was in chunks
	first   int64 // seq of batches[0]
	batches []*Batch
	series  []int32
	refs    [][]ref // parallel to series
}

// view captures the unfolded readings of the series given. It copies no reading.
func (w *Window) view(series []int32) view {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.capture(series)
}

// viewAll captures the unfolded readings of every series that has any up to the view's head.
func (w *Window) viewAll() view {
	w.mu.RLock()
	defer w.mu.RUnlock()
	series := make([]int32, 0, len(w.refs))
	for id, refs := range w.refs {
		if len(refs) > 0 {
			series = append(series, int32(id))
		}
	}
	return w.capture(series)
}

// capture returns the view of the series given as of now. The caller holds mu.
func (w *Window) capture(series []int32) view {
	v := view{head: w.head, folded: w.folded, batches: w.batches, series: series, refs: make([][]ref, len(series))}
	if len(w.batches) > 0 {
		v.first = w.batches[0].Seq
	}
	for i, id := range series {
		if int(id) < len(w.refs) {
			v.refs[i] = w.refs[id]
		}
	}
	return v
}

// points returns the i-th series' readings with seq in (after, head] and ts in [from, to), in order of time, the
// newest seq for each instant.
func (v view) points(i int, after, from, to int64) Points {
	return v.collect(v.between(i, after), from, to)
}

// between returns where the i-th series' readings with seq in (after, head] are.
func (v view) between(i int, after int64) []ref {
	refs := v.refs[i]
	first, _ := slices.BinarySearch(refs, makeRef(after+1, 0))
	last, _ := slices.BinarySearch(refs, makeRef(v.head+1, 0))
	return refs[min(first, last):last]
}

// collect returns those of the readings that have a ts in [from, to), in order of time, the newest for each instant.
func (v view) collect(refs []ref, from, to int64) Points {
	var p Points
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
		p = p.sortedLastWins()
	}
	return p
}

// newest returns the newest of the readings, in time and then in the log. There must be one.
func (v view) newest(refs []ref) (ts int64, value float64) {
	ts = minTS
	for _, r := range refs {
		if b, k := v.batches[r.seq()-v.first], r.index(); b.TS[k] >= ts {
			ts, value = b.TS[k], b.Value[k]
		}
	}
	return ts, value
}

// size estimates the memory of a batch and its refs in bytes.
func (b *Batch) size() int { return 28*len(b.Series) + 160 }
