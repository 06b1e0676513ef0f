package render

import (
	"encoding/binary"
	"math"
)

// widest is more than a time or number needs, in bytes; the fast paths store up to eight bytes past what they write.
const widest = 40

// setRoom makes sure that the buffer has room for one row.
func (w *Writer) setRoom() {
	w.room = len(w.rowStart) + widest + len(w.rowEnd)
	for _, s := range w.separators {
		w.room += len(s) + widest
	}
	if w.err == nil && len(w.buf)-w.n < w.room {
		_ = w.Flush() // kept in w.err
	}
	if len(w.buf) < w.room {
		w.buf = make([]byte, w.room)
	}
}

// Points writes raw readings of the series begun: ts in Unix milliseconds, and as many values.
func (w *Writer) Points(ts []int64, value []float64) error {
	value = value[:len(ts)]
	if w.format == JSON && w.rows > 0 {
		return w.jsonPoints(ts, value)
	}
	for i, t := range ts {
		if w.row(t, value[i:i+1]); w.err != nil {
			break
		}
		if w.format == JSON {
			return w.jsonPoints(ts[1:], value[1:])
		}
	}
	return w.err
}

// Bucket writes one row of the series begun: its time, and a value for each of the header's columns. A value that is not
// finite is one that the bucket does not have: null in JSON, empty in CSV.
func (w *Writer) Bucket(ts int64, values []float64) error {
	w.row(ts, values[:len(w.separators)])
	return w.err
}

// row writes one row.
func (w *Writer) row(ts int64, values []float64) {
	if len(w.buf)-w.n < w.room && w.Flush() != nil {
		return
	}
	b, n := w.buf, w.n
	start := w.rowStart
	if w.rows == 0 && w.format == JSON {
		start = start[1:] // no comma before the first
	}
	w.rows++
	n += copy(b[n:], start)
	if w.format == CSV {
		n = w.clock.put(b, n, ts)
	} else {
		n = w.millis.put(b, n, ts)
	}
	for i, v := range values {
		n += copy(b[n:], w.separators[i])
		if w.format == CSV && (math.IsNaN(v) || math.IsInf(v, 0)) {
			continue
		}
		n = putFloat(b, n, v)
	}
	n += copy(b[n:], w.rowEnd)
	w.n = n
}

// jsonPoints is row for what history is mostly asked for: `,[ts,value]`, again and again.
func (w *Writer) jsonPoints(ts []int64, value []float64) error {
	b, n := w.buf, w.n
	for i, t := range ts {
		if len(b)-n < 2*widest {
			w.n = n
			if w.Flush() != nil {
				return w.err
			}
			n = 0
		}
		binary.LittleEndian.PutUint16(b[n:], ','|'['<<8)
		n = w.millis.put(b, n+2, t)
		b[n] = ','
		n = putFloat(b, n+1, value[i])
		b[n] = ']'
		n++
	}
	w.n = n
	w.rows += len(ts)
	return w.err
}
