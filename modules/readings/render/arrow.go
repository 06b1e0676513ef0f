package render

import (
	"encoding/binary"
	"math"
	"slices"

	flatbuffers "github.com/google/flatbuffers/go"
)

// ArrowWriter writes one answer as an Arrow IPC stream (Apache Arrow Columnar Format 1.x, "IPC Streaming Format", metadata
// version 5): the columns device and metric, dictionary-encoded text; ts, timestamp[ms, UTC]; and value or the aggregates,
// float64. A value that a bucket does not have is null.
//
// The dictionaries are written first, whole, so that every reader understands them. The metadata is put together with
// flatbuffers alone: the arrow-go module would make the program 5 MB larger.
type ArrowWriter struct {
	flush func([]byte) error
	err   error

	columns        []string
	devices        map[string]int32
	metrics        map[string]int32
	device, metric int32 // of the series begun

	// The rows that are not written yet; parallel.
	deviceOf, metricOf []int32
	ts                 []int64
	values             [][]float64 // by column

	builder *flatbuffers.Builder
	body    body
	out     []byte
}

// arrowRows is how many rows a record batch has at most.
const arrowRows = 8192

// Name names a series.
type Name struct{ Device, Metric string }

// NewArrowWriter returns a writer of one answer about the series given, of which Series may begin only these. It hands the
// bytes of each message to flush; they are reused when flush has returned.
func NewArrowWriter(header Header, series []Name, flush func([]byte) error) *ArrowWriter {
	w := &ArrowWriter{
		flush: flush, columns: header.Columns, devices: map[string]int32{}, metrics: map[string]int32{},
		builder: flatbuffers.NewBuilder(1024),
	}
	if len(w.columns) == 0 {
		w.columns = rawColumns
	}
	w.values = make([][]float64, len(w.columns))
	var devices, metrics []string
	for _, s := range series {
		devices = enter(w.devices, devices, s.Device)
		metrics = enter(w.metrics, metrics, s.Metric)
	}
	w.message(headerSchema, w.schema(), nil)
	w.dictionary(deviceDictionary, devices)
	w.dictionary(metricDictionary, metrics)
	return w
}

// enter gives a word that is not in the dictionary yet the next index.
func enter(index map[string]int32, words []string, word string) []string {
	if _, known := index[word]; known {
		return words
	}
	index[word] = int32(len(words))
	return append(words, word)
}

// Series begins the next series. Units are not a part of the stream.
func (w *ArrowWriter) Series(device, metric, _ string) error {
	w.device, w.metric = w.devices[device], w.metrics[metric]
	return w.err
}

// Points writes raw readings of the series begun.
func (w *ArrowWriter) Points(ts []int64, value []float64) error {
	for len(ts) > 0 && w.err == nil {
		n := min(len(ts), arrowRows-len(w.ts))
		w.ts = append(w.ts, ts[:n]...)
		w.values[0] = append(w.values[0], value[:n]...)
		w.name(n)
		ts, value = ts[n:], value[n:]
	}
	return w.err
}

// Bucket writes one row of the series begun.
func (w *ArrowWriter) Bucket(ts int64, values []float64) error {
	w.ts = append(w.ts, ts)
	for i := range w.values {
		w.values[i] = append(w.values[i], values[i])
	}
	w.name(1)
	return w.err
}

// name says whose the newest n rows are, and writes the rows when there are enough.
func (w *ArrowWriter) name(n int) {
	for range n {
		w.deviceOf, w.metricOf = append(w.deviceOf, w.device), append(w.metricOf, w.metric)
	}
	if len(w.ts) >= arrowRows {
		w.batch()
	}
}

// End ends the stream. It has no place for a cursor.
func (w *ArrowWriter) End(string) error {
	if len(w.ts) > 0 {
		w.batch()
	}
	w.send(binary.LittleEndian.AppendUint32(continuation(w.out[:0]), 0))
	return w.err
}

// Flush does nothing: each message has been flushed.
func (w *ArrowWriter) Flush() error { return w.err }

// Release does nothing.
func (w *ArrowWriter) Release() {}

// batch writes the rows collected as a record batch.
func (w *ArrowWriter) batch() {
	rows, b := len(w.ts), &w.body
	b.reset()
	b.int32s(w.deviceOf)
	b.int32s(w.metricOf)
	b.start(rows, 0)
	b.buffer(nil)
	b.ints(w.ts)
	for _, column := range w.values {
		b.floats(column)
	}
	w.message(headerRecordBatch, func(f *flatbuffers.Builder) flatbuffers.UOffsetT { return b.recordBatch(f, rows) }, b)
	w.deviceOf, w.metricOf, w.ts = w.deviceOf[:0], w.metricOf[:0], w.ts[:0]
	for i := range w.values {
		w.values[i] = w.values[i][:0]
	}
}

// dictionary writes the words of a dictionary.
func (w *ArrowWriter) dictionary(id int64, words []string) {
	b := &w.body
	b.reset()
	b.start(len(words), 0)
	b.buffer(nil)
	var offsets, text []byte
	offsets = binary.LittleEndian.AppendUint32(offsets, 0)
	for _, word := range words {
		text = append(text, word...)
		offsets = binary.LittleEndian.AppendUint32(offsets, uint32(len(text)))
	}
	b.buffer(offsets)
	b.buffer(text)
	w.message(headerDictionaryBatch, func(f *flatbuffers.Builder) flatbuffers.UOffsetT {
		data := b.recordBatch(f, len(words))
		f.StartObject(3)
		f.PrependInt64Slot(0, id, 0)
		f.PrependUOffsetTSlot(1, data, 0)
		return f.EndObject()
	}, b)
}

// message writes one message: the continuation marker, the metadata with its length, and the body.
func (w *ArrowWriter) message(kind byte, header func(*flatbuffers.Builder) flatbuffers.UOffsetT, b *body) {
	if w.err != nil {
		return
	}
	f := w.builder
	f.Reset()
	offset := header(f)
	f.StartObject(5)
	f.PrependInt16Slot(0, metadataV5, 0)
	f.PrependByteSlot(1, kind, 0)
	f.PrependUOffsetTSlot(2, offset, 0)
	if b != nil {
		f.PrependInt64Slot(3, int64(len(b.bytes)), 0)
	}
	f.Finish(f.EndObject())
	metadata := f.FinishedBytes()
	size := (len(metadata) + 7) &^ 7
	w.out = binary.LittleEndian.AppendUint32(continuation(w.out[:0]), uint32(size))
	w.out = append(w.out, metadata...)
	w.out = append(w.out, make([]byte, size-len(metadata))...)
	w.send(w.out)
	if b != nil && len(b.bytes) > 0 {
		w.send(b.bytes)
	}
}

func (w *ArrowWriter) send(p []byte) {
	if w.err == nil {
		w.err = w.flush(p)
	}
}

func continuation(b []byte) []byte { return binary.LittleEndian.AppendUint32(b, math.MaxUint32) }

// body is the columns of a batch: the bytes of their buffers, each at a multiple of 8, and what the metadata says of them.
type body struct {
	bytes   []byte
	buffers [][2]int64 // offset and length
	nodes   [][2]int64 // rows and nulls of each column
}

func (b *body) reset() { b.bytes, b.buffers, b.nodes = b.bytes[:0], b.buffers[:0], b.nodes[:0] }

// start begins a column.
func (b *body) start(rows, nulls int) { b.nodes = append(b.nodes, [2]int64{int64(rows), int64(nulls)}) }

// buffer adds a buffer; an empty one where every row is valid.
func (b *body) buffer(p []byte) {
	b.bytes = append(b.bytes, p...)
	b.added(len(p))
}

// extend makes room for n more bytes and returns them.
func (b *body) extend(n int) []byte {
	b.bytes = slices.Grow(b.bytes, n+8)[:len(b.bytes)+n]
	return b.bytes[len(b.bytes)-n:]
}

// added describes and pads the last n bytes.
func (b *body) added(n int) {
	b.buffers = append(b.buffers, [2]int64{int64(len(b.bytes) - n), int64(n)})
	for len(b.bytes)%8 != 0 {
		b.bytes = append(b.bytes, 0)
	}
}

func (b *body) int32s(column []int32) {
	b.start(len(column), 0)
	b.buffer(nil)
	to := b.extend(4 * len(column))
	for i, v := range column {
		binary.LittleEndian.PutUint32(to[4*i:], uint32(v))
	}
	b.added(4 * len(column))
}

func (b *body) ints(column []int64) {
	to := b.extend(8 * len(column))
	for i, v := range column {
		binary.LittleEndian.PutUint64(to[8*i:], uint64(v))
	}
	b.added(8 * len(column))
}

// floats adds a column whose values that are not finite are null.
func (b *body) floats(column []float64) {
	nulls := 0
	for _, v := range column {
		if v-v != 0 { // NaN or an infinity
			nulls++
		}
	}
	b.start(len(column), nulls)
	b.buffer(validity(column, nulls))
	to := b.extend(8 * len(column))
	for i, v := range column {
		binary.LittleEndian.PutUint64(to[8*i:], math.Float64bits(v))
	}
	b.added(8 * len(column))
}

// validity returns the bitmap of those values that are not null, nothing when all are.
func validity(column []float64, nulls int) []byte {
	if nulls == 0 {
		return nil
	}
	bits := make([]byte, (len(column)+7)/8)
	for i, v := range column {
		if v-v == 0 {
			bits[i/8] |= 1 << (i % 8)
		}
	}
	return bits
}
