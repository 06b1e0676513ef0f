package readings

import (
	"errors"

	"telltale/modules/devices"
)

// errFull ends a scan because the answer has as many points as it may.
var errFull = errors.New("the answer is full")

// page is what the visitors share: an answer, its series, and how much room is left in it.
type page struct {
	query   Query
	series  []devices.SeriesState
	out     answer
	left    int // points that still fit; meaningless without a limit
	current devices.Series
	begun   bool
	next    *Cursor // set once the answer is full
}

// begin implements visitor.
func (p *page) begin(index int, seq int64) error {
	if !p.begun {
		p.begun = true
		if err := p.out.Begin(seq); err != nil {
			return err
		}
	}
	p.current = p.series[index].Series
	return p.out.Series(p.current)
}

// take says how many of n points fit.
func (p *page) take(n int) int {
	if p.query.Limit == 0 {
		return n
	}
	n = min(n, p.left)
	p.left -= n
	return n
}

// full notes that the answer continues with the point at ts, which did not fit.
func (p *page) full(ts int64) error {
	p.next = &Cursor{Device: p.current.Device, Metric: p.current.Metric, TS: ts - 1}
	return errFull
}

// end ends the answer after a scan that returned err.
func (p *page) end(err error) error {
	if err != nil && !errors.Is(err, errFull) {
		return err
	}
	return p.out.End(p.next)
}

// rawVisitor hands readings on as they are.
type rawVisitor struct{ page }

func (v *rawVisitor) piece(p piece) error {
	n := v.take(p.points.Len())
	if n > 0 {
		if err := v.out.Points(p.points.TS[:n], p.points.Value[:n]); err != nil {
			return err
		}
	}
	if n < p.points.Len() {
		return v.full(p.points.TS[n])
	}
	return nil
}

// bucketVisitor sums readings up in buckets and hands each on when the next begins.
type bucketVisitor struct {
	page
	buckets *Buckets
	values  []float64 // memory for a bucket's aggregates

	start, until int64   // of the bucket being filled
	summary      Summary // of the bucket being filled; Count 0 when there is none
}

func (v *bucketVisitor) begin(index int, seq int64) error {
	if err := v.flush(); err != nil {
		return err
	}
	return v.page.begin(index, seq)
}

func (v *bucketVisitor) piece(p piece) error {
	if p.points.Len() == 0 {
		if err := v.enter(p.start); err != nil {
			return err
		}
		v.summary.merge(p.summary)
		return nil
	}
	for points := p.points; points.Len() > 0; {
		if err := v.enter(points.TS[0]); err != nil {
			return err
		}
		inside := points.slice(points.TS[0], v.until)
		v.summary.add(inside.Value)
		points = Points{points.TS[inside.Len():], points.Value[inside.Len():]}
	}
	return nil
}

// enter makes the bucket of ts the one being filled.
func (v *bucketVisitor) enter(ts int64) error {
	if v.summary.Count > 0 && ts < v.until {
		return nil
	}
	if err := v.flush(); err != nil {
		return err
	}
	v.start, v.until = v.buckets.bounds(ts)
	return nil
}

// flush hands on the bucket being filled, if there is one.
func (v *bucketVisitor) flush() error {
	if v.summary.Count == 0 {
		return nil
	}
	if v.take(1) == 0 {
		return v.full(v.start)
	}
	for i, aggregate := range v.query.Aggregates {
		v.values[i] = aggregate.Of(v.summary)
	}
	v.summary = Summary{}
	return v.out.Bucket(v.start, v.values)
}

// end hands on the last bucket and ends the answer.
func (v *bucketVisitor) end(err error) error {
	if err == nil {
		err = v.flush()
	}
	return v.page.end(err)
}
