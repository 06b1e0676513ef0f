package batchlog

// What readings take in memory, in bytes. Settings count readings; what is charged against them is memory, so that the same
// readings in tiny requests and commits, which take many times as much, reach the limit earlier.
const (
	// queuedReading is one reading that waits for a commit: its series, time and value.
	queuedReading = 4 + 8 + 8
	// queuedRequest is what a request takes besides: its struct, the channel of its result and its timer.
	queuedRequest = 512
	// unfoldedReading is one reading in the window, with its entry in the index.
	unfoldedReading = queuedReading + 8
	// unfoldedBatch is what a batch takes besides: its struct, and what the allocator adds to three arrays.
	unfoldedBatch = 200
	// unfoldedSeries is a series in the index.
	unfoldedSeries = 32
)

// size returns the memory of a request that waits.
func (r *request) size() int64 { return queuedRequest + queuedReading*int64(len(r.series)) }

// QueuedMemory is the memory that this many readings of one request take while they wait for a commit.
func QueuedMemory(readings int) int { return queuedReading * readings }

// size returns the memory of a batch in the window, without the index of its series.
func (b *Batch) size() int {
	size := unfoldedBatch + unfoldedReading*len(b.Series) + 4*len(b.Dropped)
	if b.Deletion != nil {
		size += 4 * len(b.Deletion.Series)
	}
	return size
}

// UnfoldedMemory is the memory that a setting allows which counts unfolded readings.
func UnfoldedMemory(readings int) int { return unfoldedReading * readings }
