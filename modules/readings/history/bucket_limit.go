package history

import (
	"context"
	"slices"

	"telltale/modules/readings/bucket"
	"telltale/modules/series"
	"telltale/platform/fault"
)

// maxBucketValues bounds the memory for a bucket's values, 32 MiB, where a percentile needs them all.
const maxBucketValues = 1 << 22

// sorts reports whether an aggregate needs the values themselves.
func (q Query) sorts() bool { return slices.ContainsFunc(q.Aggregates, bucket.Aggregate.NeedsValues) }

// refuseLargeBuckets returns an Invalid fault when a bucket has more readings than a percentile can be made of. Their number is
// looked up only where a whole series has that many.
func (e *Engine) refuseLargeBuckets(ctx context.Context, from source, found survey) error {
	q := from.query
	if !q.sorts() || found.most <= e.limits.BucketValues {
		return nil
	}
	q.Aggregates, q.Fill, q.Limit = []bucket.Aggregate{bucket.Count}, NoFill, 0
	counted := e.capture(q, from.series)
	counter := newVisitor(output{ctx: ctx, query: q, series: from.series, out: bucketLimit{most: e.limits.BucketValues}})
	return e.scan(counted, nil).Run(ctx, counter, false)
}

func errLargeBucket(most int64) error {
	return fault.InvalidField("interval",
		"makes buckets of more than %d readings, too many for a percentile; ask for a narrower one, or without median and p95", most)
}

// bucketLimit is an answer of counts that comes to nothing, or to an error as soon as one is too great.
type bucketLimit struct{ most int64 }

func (l bucketLimit) Plan(Query, Plan) error          { return nil }
func (l bucketLimit) Begin(int64, string) error       { return nil }
func (l bucketLimit) Series(series.Series) error      { return nil }
func (l bucketLimit) Points([]int64, []float64) error { return nil }
func (l bucketLimit) End(*Cursor) error               { return nil }

func (l bucketLimit) Bucket(_ int64, count []float64) error {
	if int64(count[0]) > l.most {
		return errLargeBucket(l.most)
	}
	return nil
}
