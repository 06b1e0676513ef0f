package readings

import "time"

// Batch is what one commit made durable: one row of the log. Its three slices are parallel; the i-th reading is
// (Series[i], TS[i], Value[i]). A batch is immutable once it has a seq, and shared by everyone who reads it.
type Batch struct {
	// Seq is the batch's place in the log. Seqs are consecutive: the batch after Seq is Seq+1, whoever appended it.
	Seq         int64
	CommittedAt time.Time
	Series      []int32
	// TS is in Unix milliseconds.
	TS    []int64
	Value []float64
	// Dropped lists series that ceased to exist with this batch, because their device was deleted.
	Dropped []int32
}

// Len returns the number of readings.
func (b *Batch) Len() int { return len(b.Series) }
