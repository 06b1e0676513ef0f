package readings

import (
	"context"
	"slices"

	"telltale/modules/devices"
	"telltale/platform/fault"
)

// maxBucketValues bounds the memory for a bucket's values, 32 MiB, where a percentile needs them all.
const maxBucketValues = 1 << 22

// sorts reports whether an aggregate needs the values themselves.
func (q Query) sorts() bool { return slices.ContainsFunc(q.Aggregates, Aggregate.needsValues) }

// refuseCrowds returns an Invalid fault when a bucket has more readings than a percentile can be made of. Their number is
// looked up only where a whole series has that many.
func (s *Service) refuseCrowds(ctx context.Context, q Query, series []devices.SeriesState, found survey) error {
	if !q.sorts() || found.most <= s.bucketValues {
		return nil
	}
	q.Aggregates, q.Fill, q.Limit = []Aggregate{Count}, NoFill, 0
	pass := s.newScan(q, series)
	return pass.run(ctx, newVisitor(page{query: q, series: series, out: crowds{most: s.bucketValues}}), false)
}

func errCrowd(most int64) error {
	return fault.InvalidField("interval",
		"makes buckets of more than %d readings, too many for a percentile; ask for a narrower one, or without median and p95", most)
}

// crowds is an answer of counts that comes to nothing, or to an error as soon as one is too great.
type crowds struct{ most int64 }

func (c crowds) Plan(Query, Plan) error          { return nil }
func (c crowds) Begin(int64, string) error       { return nil }
func (c crowds) Series(devices.Series) error     { return nil }
func (c crowds) Points([]int64, []float64) error { return nil }
func (c crowds) End(*Cursor) error               { return nil }

func (c crowds) Bucket(_ int64, count []float64) error {
	if int64(count[0]) > c.most {
		return errCrowd(c.most)
	}
	return nil
}
