// Package batchlog makes readings durable, and knows those that became durable recently.
//
// It owns the log, an append-only table of batches in commit order (Log); the group commit that appends to it (Appender); the Tail,
// which follows it in every instance; and its newest part in memory (Window), which queries see by series (View) and viewers by
// stamps (Feed). It reads chunks only to find the newest reading after a deletion: package fold moves the log into chunks.
package batchlog

import (
	"time"

	"telltale/modules/readings/deletion"
)

// Batch is what one commit made durable: one row of the log. Its three slices are parallel; the i-th reading is
// (Series[i], TS[i], Value[i]). A batch is immutable once it has a seq, and shared by everyone who reads it.
type Batch struct {
	// Seq is the batch's position in the log. Seqs are consecutive: the batch after Seq is Seq+1, whichever instance appended it.
	Seq         int64
	CommittedAt time.Time
	Series      []int32
	// TS is in Unix milliseconds.
	TS    []int64
	Value []float64
	// Dropped lists series that ceased to exist with this batch, because their device was deleted.
	Dropped []int32
	// Deletion says which readings ceased to exist with this batch; nil for nearly every one. Its batch has no readings.
	Deletion *deletion.Marker

	before int64 // of a batch that this instance has appended: the stamp of the one before it, 0 when the log has none
}

// Len returns the number of readings.
func (b *Batch) Len() int { return len(b.Series) }

// merge makes one batch of a group's readings, in order, in memory of its own and of exactly the size needed: batches
// stay in the window for long.
func merge(group []*request) *Batch {
	n := 0
	for _, r := range group {
		n += len(r.series)
	}
	b := &Batch{Series: make([]int32, 0, n), TS: make([]int64, 0, n), Value: make([]float64, 0, n)}
	for _, r := range group {
		b.Series = append(b.Series, r.series...)
		b.TS = append(b.TS, r.ts...)
		b.Value = append(b.Value, r.value...)
	}
	return b
}
