package event

import (
	"telltale/modules/readings/batchlog"
	"telltale/modules/series"
)

const (
	// partReadings is about how many readings one part of a batch covers; it covers at most twice as many.
	partReadings = 1024
	// Tail ends the text of every event that has values.
	Tail = "}}\n\n"
)

// names knows the device and the metric of a series.
type names interface {
	ByID(id int32) (series.Series, bool)
}

// Encoded is the text of consecutive events of one batch: of a part of the batch, or of the whole batch. It is encoded once,
// shared by all viewers, and immutable.
//
// An event is a run of consecutive readings with the same device and instant in which no metric occurs twice. Where events begin
// depends only on the batch, so ids are the same for every viewer and on every instance. A run is also cut at a multiple of
// partReadings when it covers that many readings from there on.
type Encoded struct {
	stamp int64 // the batch's stamp
	first int32 // it covers the batch's readings [first, next)
	next  int32
	end   Position // behind the last event

	text   []byte
	events []span
	pairs  []pair

	devices []string // that have events here
	firsts  []int32  // index of each one's first event
	index   map[string]int32
	metrics []string
}

// span is where one event is in an encoded part.
type span struct {
	n      int32 // index in the batch of its first reading
	device int32 // index in devices
	later  int32 // index of the same device's next event, 0 if there is none
	start  int32 // its text is text[start:end], end being the next event's start
	pairs  int32 // index of its first pair
}

// pair is the text of one `"metric":value`, which ends at end and begins one byte behind the end of the pair before it in
// the same event.
type pair struct {
	metric int32 // index in metrics
	start  int32
	end    int32
}

// Devices returns the devices that have events in the part.
func (e *Encoded) Devices() []string { return e.devices }

// Index returns the devices that have events in the part, as keys. It must not be changed.
func (e *Encoded) Index() map[string]int32 { return e.index }

// End returns the position behind the last event of the part.
func (e *Encoded) End() Position { return e.end }

// Readings returns how many readings of the batch the part covers.
func (e *Encoded) Readings() int { return int(e.next - e.first) }

// covers reports whether the part covers the reading with that index.
func (e *Encoded) covers(reading int32) bool { return e.first <= reading && reading < e.next }

// size is about what the part takes in memory.
func (e *Encoded) size() int {
	return len(e.text) + 20*len(e.events) + 12*len(e.pairs) + 72*(len(e.devices)+len(e.metrics)) + 256
}

// eventEnd returns where the text of the i-th event ends.
func (e *Encoded) eventEnd(i int) int32 {
	if i+1 < len(e.events) {
		return e.events[i+1].start
	}
	return int32(len(e.text))
}

// pairsOf returns the pairs of the i-th event.
func (e *Encoded) pairsOf(i int) []pair {
	if i+1 < len(e.events) {
		return e.pairs[e.events[i].pairs:e.events[i+1].pairs]
	}
	return e.pairs[e.events[i].pairs:]
}

// partStart returns where the k-th part of a batch begins: at the first reading from k*partReadings on whose device or instant
// differs from that of the reading before it. It looks at no earlier readings.
func partStart(b *batchlog.Batch, k int, names names) int {
	from := k * partReadings
	if k == 0 || from >= b.Len() {
		return min(from, b.Len())
	}
	to := min(from+partReadings, b.Len())
	last, known := names.ByID(b.Series[from-1])
	for i := from; i < to; i++ {
		current, ok := last, known
		if b.Series[i] != b.Series[i-1] {
			current, ok = names.ByID(b.Series[i])
		}
		if !ok || !known || current.Device != last.Device || b.TS[i] != b.TS[i-1] {
			return i
		}
		last, known = current, ok
	}
	if to == b.Len() {
		return to
	}
	return from
}

// partOf returns which part of the batch covers the reading.
func partOf(b *batchlog.Batch, reading int, names names) int {
	k := reading / partReadings
	for k > 0 && partStart(b, k, names) > reading {
		k--
	}
	return k
}
