package render

import (
	"strconv"
	"sync"
)

// Writer writes one answer. It is not safe for concurrent use. The first error of flush ends all writing: every method
// returns it from then on.
type Writer struct {
	format Format
	flush  func([]byte) error
	err    error
	sent   bool

	// buf[:n] is what has not been flushed. Rows are written by index into buf, which has room for one at any time.
	buf []byte
	n   int

	// rowStart, separators (one before each value) and rowEnd are what surrounds the numbers of a row.
	rowStart   []byte
	separators [][]byte
	rowEnd     string
	// room is what one row may need at the most.
	room int

	millis millisWriter
	clock  clockWriter

	// series counts the series begun, rows those of the series.
	series, rows int
	columns      []byte // the JSON array of the columns' names
	names        []string
}

// bufferSize is the size of the pieces that are flushed, about.
const bufferSize = 64 << 10

var writers = sync.Pool{New: func() any { return &Writer{buf: make([]byte, bufferSize)} }}

// rawColumns are the columns of raw readings.
var rawColumns = []string{"value"}

// NewWriter returns a writer of one answer that hands its bytes, in pieces of about 64 KiB, to flush. The bytes are reused
// when flush has returned. An answer that fits in one piece is not flushed before Flush; see Buffered.
func NewWriter(format Format, header Header, flush func([]byte) error) *Writer {
	w := writers.Get().(*Writer)
	*w = Writer{
		format: format, flush: flush, buf: w.buf,
		rowStart: w.rowStart[:0], separators: w.separators[:0], columns: w.columns[:0],
		names: header.Columns,
	}
	if len(w.names) == 0 {
		w.names = rawColumns
	}
	w.head(header)
	return w
}

// Release gives the writer's memory back. The writer and what Buffered returned must not be used any more.
func (w *Writer) Release() {
	w.flush, w.names = nil, nil
	if len(w.buf) <= 4*bufferSize { // names of no sensible length made it grow
		writers.Put(w)
	}
}

// Flush hands what is buffered to flush.
func (w *Writer) Flush() error {
	if w.err == nil && w.n > 0 {
		w.sent = true
		w.err = w.flush(w.buf[:w.n])
		w.n = 0
	}
	return w.err
}

// Buffered returns the bytes that have not been flushed, and whether they are all there is so far. An answer that is whole
// after End can be sent with its length instead of in chunks.
func (w *Writer) Buffered() (b []byte, whole bool) { return w.buf[:w.n], !w.sent }

// head writes what comes before the first series and prepares the separators.
func (w *Writer) head(h Header) {
	switch w.format {
	case CSV:
		w.rowEnd = "\n"
		w.add(func(b []byte) []byte {
			b = append(b, "device,metric,ts"...)
			for _, name := range w.names {
				w.separators = append(w.separators, []byte{','})
				b = appendCell(append(b, ','), name)
			}
			return append(b, '\n')
		})
	case NDJSON:
		w.rowEnd = "}\n"
		for _, name := range w.names {
			w.separators = append(w.separators, append(AppendString([]byte{','}, name), ':'))
		}
	default:
		w.rowEnd = "]"
		w.columns = append(w.columns, `"ts"`...)
		for _, name := range w.names {
			w.separators = append(w.separators, []byte{','})
			w.columns = AppendString(append(w.columns, ','), name)
		}
		w.add(h.appendJSON)
	}
}

// appendJSON appends the beginning of the JSON document.
func (h Header) appendJSON(b []byte) []byte {
	b = strconv.AppendInt(append(b, `{"from":`...), h.From, 10)
	b = strconv.AppendInt(append(b, `,"to":`...), h.To, 10)
	b = strconv.AppendInt(append(b, `,"seq":`...), h.Stamp, 10)
	if h.Interval != "" {
		b = AppendString(append(b, `,"interval":`...), h.Interval)
	}
	if h.TZ != "" {
		b = AppendString(append(b, `,"tz":`...), h.TZ)
	}
	if h.Downsampled != "" {
		b = AppendString(append(b, `,"downsampled":{"method":`...), h.Downsampled)
		if h.DownsampledTo != "" {
			b = AppendString(append(b, `,"interval":`...), h.DownsampledTo)
		}
		b = append(b, '}')
	}
	return append(b, `,"series":[`...)
}

// Series begins the next series. The rows that follow are its rows, in order of time.
func (w *Writer) Series(device, metric, unit string) error {
	w.endSeries()
	w.series++
	w.rows = 0
	switch w.format {
	case CSV:
		w.rowStart = appendCell(w.rowStart[:0], device)
		w.rowStart = append(appendCell(append(w.rowStart, ','), metric), ',')
	case NDJSON:
		w.rowStart = AppendString(append(w.rowStart[:0], `{"device":`...), device)
		w.rowStart = AppendString(append(w.rowStart, `,"metric":`...), metric)
		w.rowStart = append(w.rowStart, `,"ts":`...)
	default:
		w.rowStart = append(w.rowStart[:0], ",["...)
		w.add(func(b []byte) []byte {
			if w.series > 1 {
				b = append(b, ',')
			}
			b = AppendString(append(b, `{"device":`...), device)
			b = AppendString(append(b, `,"metric":`...), metric)
			b = AppendString(append(b, `,"unit":`...), unit)
			b = append(append(b, `,"columns":[`...), w.columns...)
			return append(b, `],"points":[`...)
		})
	}
	w.setRoom()
	return w.err
}

func (w *Writer) endSeries() {
	if w.format == JSON && w.series > 0 {
		w.add(func(b []byte) []byte { return append(b, "]}"...) })
	}
}

// End ends the document. Next, if not empty, is the cursor of the page that follows: the member `next_cursor` of a JSON
// document, an object of its own at the end of NDJSON. CSV has no place for it; callers say it in a header of the response.
func (w *Writer) End(next string) error {
	w.endSeries()
	w.add(func(b []byte) []byte {
		switch w.format {
		case JSON:
			b = append(b, ']')
			if next != "" {
				b = AppendString(append(b, `,"next_cursor":`...), next)
			}
			b = append(b, '}')
		case NDJSON:
			if next != "" {
				b = append(AppendString(append(b, `{"next_cursor":`...), next), "}\n"...)
			}
		}
		return b
	})
	return w.err
}

// add appends what may be of any length, and is not on the hot path.
func (w *Writer) add(f func([]byte) []byte) {
	if w.err != nil {
		return
	}
	b := f(w.buf[:w.n])
	w.n = len(b)
	w.buf = b[:cap(b)]
	if w.n > bufferSize/2 {
		_ = w.Flush() // kept in w.err
	}
}
