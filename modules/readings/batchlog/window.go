package batchlog

import (
	"slices"
	"sync"

	"telltale/modules/readings/deletion"
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
	stamp   int64    // of the head, 0 for none
	floor   int64    // stamp of the batch before those held, 0 for none
	bytes   int      // size of batches
	refs    [][]Ref  // by series id: where its readings with seq > folded are, in log order
	folded  int64    // every batch up to here is in chunks
	pending int      // readings with seq > folded
	waiting int      // size of the batches with seq > folded
	indexed int      // series with refs
	changed chan struct{}

	masks  map[int32][]deletion.Mask // by series id: deletions with seq > folded, in log order
	masked int                       // of them

	replaced     int   // how often Replace was called
	replacedHead int64 // the stamp of the head that it was given last
}

// NewWindow returns an empty window that keeps about budget bytes of folded batches.
func NewWindow(budget int) *Window {
	return &Window{budget: budget, changed: make(chan struct{})}
}

// Reset makes the window begin after what is folded, with nothing in it.
func (w *Window) Reset(state State) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reset(state)
}

// Replace is Reset for a log that is not the one whose batches the window held: a seq stands for another batch now, or for
// none.
func (w *Window) Replace(state State) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.replaced++
	w.replacedHead = state.HeadStamp
	w.reset(state)
}

// Replaced returns how often the log has turned out to be another one, and the stamp of the newest batch that it had then.
func (w *Window) Replaced() (times int, head int64) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.replaced, w.replacedHead
}

// reset empties the window. The caller holds mu.
func (w *Window) reset(state State) {
	w.batches, w.refs, w.bytes, w.pending = nil, nil, 0, 0
	w.waiting, w.indexed = 0, 0
	w.masks, w.masked = nil, 0
	w.head, w.folded = state.Folded, state.Folded
	w.stamp, w.floor = state.FoldedStamp, state.FoldedStamp
	w.signal()
}

// Apply adds the batch after the head. Readings of series that it drops leave the index.
func (w *Window) Apply(b *Batch) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.batches = append(w.batches, b)
	w.head, w.stamp = b.Seq, b.Stamp()
	w.bytes += b.size()
	if b.Seq > w.folded {
		w.pending += b.Len()
		w.waiting += b.size()
	}
	for i, id := range b.Series {
		if n := int(id) + 1 - len(w.refs); n > 0 {
			w.refs = append(w.refs, make([][]Ref, n)...)
		}
		if len(w.refs[id]) == 0 {
			w.indexed++
		}
		w.refs[id] = append(w.refs[id], makeRef(b.Seq, i))
	}
	for _, id := range b.Dropped {
		if int(id) < len(w.refs) && w.refs[id] != nil {
			w.refs[id] = nil
			w.indexed--
		}
	}
	w.addMasks(b)
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
			w.waiting -= w.batches[i].size()
		}
	}
	w.folded, w.indexed = seq, 0
	for id, refs := range w.refs {
		if w.refs[id] = refsAfter(refs, seq); w.refs[id] != nil {
			w.indexed++
		}
	}
	w.forgetMasks()
	w.trim()
}

// refsAfter returns the refs of batches after seq, without keeping the memory of the others.
func refsAfter(refs []Ref, seq int64) []Ref {
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

// trim evicts the oldest batches that are folded, a quarter of the budget at a time. The caller holds mu.
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
		w.floor = w.batches[n-1].Stamp()
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

// NewestStamped returns seq and stamp of the newest batch applied.
func (w *Window) NewestStamped() (head, stamp int64) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.head, w.stamp
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

// Stats is what the window holds.
type Stats struct {
	Head, Folded int64
	// Stamp is that of the head.
	Stamp   int64
	Batches int
	Bytes   int
	// Unfolded counts the readings that no chunk holds yet.
	Unfolded int
	// UnfoldedBytes is the memory of the batches that are not folded and of their index.
	UnfoldedBytes int
	// Masked counts the series, by deletion, whose deleted readings are still in chunks.
	Masked int
}

// Stats returns what the window holds.
func (w *Window) Stats() Stats {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return Stats{
		Head: w.head, Stamp: w.stamp, Folded: w.folded, Batches: len(w.batches), Bytes: w.bytes, Masked: w.masked,
		Unfolded: w.pending, UnfoldedBytes: w.waiting + unfoldedSeries*w.indexed,
	}
}

// View captures the unfolded readings of the series given. It copies no reading.
func (w *Window) View(series []int32) View {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.capture(series)
}

// ViewAll captures the unfolded readings of every series that has any up to the view's head.
func (w *Window) ViewAll() View {
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
func (w *Window) capture(series []int32) View {
	v := View{Head: w.head, Stamp: w.stamp, Folded: w.folded, batches: w.batches, Series: series, refs: make([][]Ref, len(series)), masks: w.masksOf(series)}
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
