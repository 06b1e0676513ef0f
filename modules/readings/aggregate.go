package readings

import (
	"fmt"
	"math"
	"slices"
	"strings"
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

// needsValues reports whether a summary is not enough to know the aggregate.
func (a Aggregate) needsValues() bool { return a == Median || a == P95 }

// Of returns the aggregate of the values summarised, of which there is at least one. sorted are the values in ascending
// order, for those aggregates that need them.
func (a Aggregate) Of(s Summary, sorted []float64) float64 {
	switch a {
	case Avg:
		return s.Sum / float64(s.Count)
	case Min:
		return s.Min
	case Max:
		return s.Max
	case Sum:
		return s.Sum
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
// closest ranks: with n values in ascending order it is the one at the place fraction·(n−1), counted from 0. This is SQL's
// percentile_cont, and what NumPy and spreadsheets (PERCENTILE.INC) do.
func percentile(sorted []float64, fraction float64) float64 {
	place := fraction * float64(len(sorted)-1)
	below := math.Floor(place)
	value := sorted[int(below)]
	if rest := place - below; rest > 0 {
		value += rest * (sorted[int(below)+1] - value)
	}
	return value
}
