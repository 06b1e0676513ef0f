package bucket

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"telltale/modules/readings/chunk"
)

// Aggregate is a way to make one value of a bucket's values.
type Aggregate string

// The aggregates. First and Last are the values at the bucket's earliest and latest instant. Median and P95 are the 50th and
// 95th percentile, see percentile.
const (
	Avg    Aggregate = "avg"
	Min    Aggregate = "min"
	Max    Aggregate = "max"
	Sum    Aggregate = "sum"
	Count  Aggregate = "count"
	First  Aggregate = "first"
	Last   Aggregate = "last"
	Median Aggregate = "median"
	P95    Aggregate = "p95"
)

// Aggregates lists every aggregate.
var Aggregates = []Aggregate{Avg, Min, Max, Sum, Count, First, Last, Median, P95}

// ParseAggregate reads the name of an aggregate.
func ParseAggregate(text string) (Aggregate, error) {
	if !slices.Contains(Aggregates, Aggregate(text)) {
		return "", fmt.Errorf("must be one of %s, not %q", strings.Trim(fmt.Sprint(Aggregates), "[]"), text)
	}
	return Aggregate(text), nil
}

// NeedsValues reports whether statistics are not enough to know the aggregate.
func (a Aggregate) NeedsValues() bool { return a == Median || a == P95 }

// Of returns the aggregate of the values that the statistics are of, at least one. sorted are the values in ascending
// order, for those aggregates that need them.
func (a Aggregate) Of(s chunk.Statistics, sorted []float64) float64 {
	switch a {
	case Avg:
		return s.Mean()
	case Min:
		return s.Min
	case Max:
		return s.Max
	case Sum:
		return s.Sum.High // infinite, and so null, only where a float64 cannot hold it
	case Count:
		return float64(s.Count)
	case First:
		return s.First
	case Last:
		return s.Last
	case Median:
		return percentile(sorted, 0.5)
	default:
		return percentile(sorted, 0.95)
	}
}

// percentile returns the value below which the fraction given of the values lies, by linear interpolation between the two
// closest ranks: with n values in ascending order it is the one at the rank fraction·(n−1), counted from 0. This is SQL's
// percentile_cont, and what NumPy and spreadsheets (PERCENTILE.INC) do.
func percentile(sorted []float64, fraction float64) float64 {
	rank := fraction * float64(len(sorted)-1)
	below := math.Floor(rank)
	value := sorted[int(below)]
	if rest := rank - below; rest > 0 {
		value = Between(value, sorted[int(below)+1], rest)
	}
	return value
}

// Between returns the value at a fraction of the way from a to b, also where their difference is beyond float64's range.
// It is never outside of the two.
func Between(a, b, way float64) float64 {
	value := a + way*(b-a)
	if math.IsInf(value, 0) || math.IsNaN(value) {
		value = a*(1-way) + b*way
	}
	return min(max(value, min(a, b)), max(a, b))
}
