package history

import (
	"fmt"
	"math"
	"slices"

	"telltale/modules/readings/bucket"
)

// Fill is what becomes of a bucket that has no reading.
type Fill string

// The ways to fill. NoFill leaves empty buckets out; the others put them into the answer: with nulls, with the aggregates
// of the last bucket that has any, or on the straight line between that one and the next. Buckets before
// a series' first reading and, for Linear, after its last one are null. A filled bucket's count is 0.
const (
	NoFill   Fill = ""
	Null     Fill = "null"
	Previous Fill = "previous"
	Linear   Fill = "linear"
)

// ParseFill reads the name of a way to fill.
func ParseFill(text string) (Fill, error) {
	switch fill := Fill(text); fill {
	case "none":
		return NoFill, nil
	case Null, Previous, Linear:
		return fill, nil
	}
	return "", fmt.Errorf("must be none, null, previous or linear, not %q", text)
}

// filler puts the empty buckets of a series between the others. NaN stands for null.
type filler struct {
	fill       Fill
	aggregates []bucket.Aggregate
	buckets    *bucket.Grid
	emit       func(ts int64, values []float64) error

	skip   int64 // buckets that start up to here are on the page before
	next   int64 // start of the first bucket not emitted yet
	known  bool  // whether the series has had a bucket with readings: last, which began at lastTS
	lastTS int64
	last   []float64
	row    []float64 // memory for a filled bucket
}

// begin begins a series at the bucket that holds from. Buckets that start up to skip are passed over at once, however many
// there are.
func (f *filler) begin(from, skip int64) {
	f.known, f.skip = false, skip
	f.next, _ = f.buckets.Bounds(from)
}

// bucket emits the empty buckets before the one at ts, and that one.
func (f *filler) bucket(ts int64, values []float64) error {
	if f.fill != NoFill {
		if err := f.gap(ts, values); err != nil {
			return err
		}
	}
	if err := f.emit(ts, values); err != nil {
		return err
	}
	f.known, f.lastTS, f.last = true, ts, append(f.last[:0], values...)
	_, f.next = f.buckets.Bounds(ts)
	return nil
}

// end emits the empty buckets up to the end of the series.
func (f *filler) end(to int64) error {
	if f.fill == NoFill {
		return nil
	}
	return f.gap(to, nil)
}

// gap emits the empty buckets up to the instant given, where there is a bucket with the values following, or nothing.
func (f *filler) gap(until int64, following []float64) error {
	if f.next <= f.skip {
		_, f.next = f.buckets.Bounds(f.skip)
	}
	f.row = slices.Grow(f.row[:0], len(f.aggregates))[:len(f.aggregates)]
	for f.next < until {
		f.fillRow(f.next, until, following)
		if err := f.emit(f.next, f.row); err != nil {
			return err
		}
		_, f.next = f.buckets.Bounds(f.next)
	}
	return nil
}

// fillRow fills row for the empty bucket at ts.
func (f *filler) fillRow(ts, until int64, following []float64) {
	for i, aggregate := range f.aggregates {
		switch {
		case aggregate == bucket.Count:
			f.row[i] = 0
		case f.fill == Previous && f.known:
			f.row[i] = f.last[i]
		case f.fill == Linear && f.known && following != nil:
			way := float64(ts-f.lastTS) / float64(until-f.lastTS)
			f.row[i] = bucket.Between(f.last[i], following[i], way)
		default:
			f.row[i] = math.NaN()
		}
	}
}
