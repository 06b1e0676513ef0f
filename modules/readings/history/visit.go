package history

import (
	"context"
	"errors"
	"math"
	"slices"

	"telltale/modules/readings/bucket"
	"telltale/modules/readings/chunk"
	"telltale/modules/readings/scan"
	"telltale/modules/series"
	"telltale/platform/fault"
)

// errFull ends a scan because the answer has as many points as it may.
var errFull = errors.New("the answer is full")

// output is what the visitors share: an answer, its series, and how much room is left in it.
type output struct {
	ctx     context.Context // of the query: empty series and buckets without readings can be many
	query   Query
	plan    Plan
	series  []series.State
	out     answer
	left    int   // points that still fit; meaningless without a limit
	most    int64 // values of a bucket that percentiles are made of
	current series.Series
	begun   bool
	next    *Cursor // set once the answer is full
}

// Begin implements visitor.
func (o *output) Begin(index int, stamp int64) error {
	if err := o.ctx.Err(); err != nil {
		return err
	}
	if !o.begun {
		o.begun = true
		if err := o.out.Begin(stamp, o.plan.Version); err != nil {
			return err
		}
	}
	o.current = o.series[index].Series
	return o.out.Series(o.current)
}

// take says how many of n points fit.
func (o *output) take(n int) int {
	if o.query.Limit == 0 {
		return n
	}
	n = min(n, o.left)
	o.left -= n
	return n
}

// full notes that the answer continues with the point at ts, which did not fit, and that for this one has to read from seek
// on.
func (o *output) full(ts, seek int64) error {
	o.next = &Cursor{Device: o.current.Device, Metric: o.current.Metric, TS: ts - 1, Seek: seek}
	return errFull
}

// End ends the answer after a scan that returned err.
func (o *output) End(err error) error {
	if err != nil && !errors.Is(err, errFull) {
		return err
	}
	return o.out.End(o.next)
}

// newVisitor returns what answers the output's query.
func newVisitor(o output) scan.Visitor {
	switch {
	case o.plan.Method == LTTB:
		return &lttbVisitor{output: o}
	case o.query.Interval == nil:
		return &rawVisitor{output: o}
	default:
		return newBucketVisitor(o)
	}
}

// rawVisitor hands readings on as they are.
type rawVisitor struct{ output }

func (v *rawVisitor) Piece(p scan.Piece) error {
	n := v.take(p.Points.Len())
	if n > 0 {
		if err := v.out.Points(p.Points.TS[:n], p.Points.Value[:n]); err != nil {
			return err
		}
	}
	if n < p.Points.Len() {
		return v.full(p.Points.TS[n], p.Points.TS[n])
	}
	return nil
}

// lttbVisitor hands on, of each series, the readings that keep its shape.
type lttbVisitor struct {
	output
	points, kept chunk.Points // the series' readings, and memory for those that are handed on
}

func (v *lttbVisitor) Begin(index int, stamp int64) error {
	if err := v.flush(); err != nil {
		return err
	}
	return v.output.Begin(index, stamp)
}

func (v *lttbVisitor) Piece(p scan.Piece) error {
	v.points.TS, v.points.Value = append(v.points.TS, p.Points.TS...), append(v.points.Value, p.Points.Value...)
	if v.points.Len() > 2*maxLTTB { // readings came by the million since they were counted
		return errLTTB(v.current)
	}
	return nil
}

func errLTTB(s series.Series) error {
	return fault.InvalidField("downsample", "lttb can pick from %d readings of a series, and %s of %s has more; ask for minmax, or for a shorter range",
		maxLTTB, s.Metric, s.Device)
}

func (v *lttbVisitor) flush() error {
	if v.points.Len() == 0 {
		return nil
	}
	v.kept = lttb(chunk.Points{TS: v.kept.TS[:0], Value: v.kept.Value[:0]}, v.points, v.query.MaxPoints)
	v.points = chunk.Points{TS: v.points.TS[:0], Value: v.points.Value[:0]}
	return v.out.Points(v.kept.TS, v.kept.Value)
}

func (v *lttbVisitor) End(err error) error {
	if err == nil {
		err = v.flush()
	}
	return v.output.End(err)
}

// bucketVisitor sums readings up in buckets and hands each on when the next begins.
type bucketVisitor struct {
	output
	buckets *bucket.Grid
	fill    filler
	row     []float64 // memory for a bucket's aggregates
	sorting bool      // whether an aggregate needs the values themselves

	start, until int64            // of the bucket being filled
	statistics   chunk.Statistics // of the bucket being filled; Count 0 when there is none
	values       []float64        // of the bucket being filled, when sorting
	skip         int64            // buckets up to here are on the page before
	emitted      int
}

func newBucketVisitor(o output) *bucketVisitor {
	v := &bucketVisitor{
		output: o, buckets: bucket.NewGrid(*o.query.Interval, o.query.Zone), row: make([]float64, len(o.query.Aggregates)), skip: math.MinInt64,
		sorting: o.query.sorts(),
	}
	// A filler goes its own way through the buckets, which remember the instant that was asked for last.
	v.fill = filler{
		fill: o.query.Fill, aggregates: o.query.Aggregates, buckets: bucket.NewGrid(*o.query.Interval, o.query.Zone), emit: v.emit,
	}
	return v
}

func (v *bucketVisitor) Begin(index int, stamp int64) error {
	if v.begun {
		if err := v.finish(); err != nil {
			return err
		}
	}
	from, after := v.query.From, v.query.After
	if v.skip = math.MinInt64; index == 0 && after != nil {
		v.skip, from = after.TS, max(from, after.Seek)
	}
	v.fill.begin(from, v.skip)
	return v.output.Begin(index, stamp)
}

func (v *bucketVisitor) Piece(p scan.Piece) error {
	if p.Points.Len() == 0 {
		if err := v.enter(p.Start); err != nil {
			return err
		}
		v.statistics.Merge(p.Statistics)
		return nil
	}
	for points := p.Points; points.Len() > 0; {
		if err := v.enter(points.TS[0]); err != nil {
			return err
		}
		inside := points.Slice(points.TS[0], v.until)
		v.statistics.Add(inside.Value)
		if v.sorting {
			if int64(len(v.values)+inside.Len()) > v.most { // they came since they were counted
				return errLargeBucket(v.most)
			}
			v.values = append(v.values, inside.Value...)
		}
		points = chunk.Points{TS: points.TS[inside.Len():], Value: points.Value[inside.Len():]}
	}
	return nil
}

// enter makes the bucket of ts the one being filled.
func (v *bucketVisitor) enter(ts int64) error {
	if v.statistics.Count > 0 && ts < v.until {
		return nil
	}
	if err := v.flush(); err != nil {
		return err
	}
	v.start, v.until = v.buckets.Bounds(ts)
	return nil
}

// flush hands on the bucket being filled, if there is one.
func (v *bucketVisitor) flush() error {
	if v.statistics.Count == 0 {
		return nil
	}
	slices.Sort(v.values)
	for i, aggregate := range v.query.Aggregates {
		v.row[i] = aggregate.Of(v.statistics, v.values)
	}
	v.statistics, v.values = chunk.Statistics{}, v.values[:0]
	return v.fill.bucket(v.start, v.row)
}

// checkEvery is how many buckets are handed on before the query's time is looked at again.
const checkEvery = 1024

// emit hands on one bucket, unless the page before has it.
func (v *bucketVisitor) emit(ts int64, row []float64) error {
	if v.emitted++; v.emitted%checkEvery == 0 && v.ctx.Err() != nil {
		return v.ctx.Err()
	}
	if ts <= v.skip {
		return nil
	}
	if v.take(1) == 0 {
		seek := ts
		switch {
		case v.query.Fill == NoFill:
		case v.fill.known:
			seek = min(seek, v.fill.lastTS)
		default:
			seek = min(seek, v.query.From)
		}
		return v.full(ts, seek)
	}
	return v.out.Bucket(ts, row)
}

// finish hands on what is left of the series begun last.
func (v *bucketVisitor) finish() error {
	if err := v.flush(); err != nil {
		return err
	}
	return v.fill.end(v.query.To)
}

// End hands on the last bucket and ends the answer.
func (v *bucketVisitor) End(err error) error {
	if err == nil && v.begun {
		err = v.finish()
	}
	return v.output.End(err)
}
