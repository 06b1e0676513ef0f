package history

import (
	"fmt"
	"math"

	"telltale/modules/readings/bucket"
	"telltale/modules/readings/chunk"
)

// Method is how a series is made to have no more points than a chart can show.
type Method string

// The methods. Chosen leaves it to the server. Raw leaves nothing out. LTTB picks the readings that keep the shape of the
// curve; MinMax sums up round intervals, which for long ranges needs no reading at all.
const (
	Chosen Method = ""
	Raw    Method = "raw"
	LTTB   Method = "lttb"
	MinMax Method = "minmax"
)

// ParseMethod reads the name of a method that can be asked for.
func ParseMethod(text string) (Method, error) {
	switch method := Method(text); method {
	case LTTB, MinMax:
		return method, nil
	}
	return "", fmt.Errorf("must be lttb or minmax, not %q", text)
}

// minMax are the aggregates that MinMax answers with.
var minMax = []bucket.Aggregate{bucket.Min, bucket.Max}

const (
	// maxLTTB is how many readings of one series LTTB can pick from: it needs all of them in memory.
	maxLTTB = 1_000_000
	// cheapLTTB is how many readings, of all series together, the server chooses LTTB for; with more MinMax is quicker.
	cheapLTTB = 100_000
)

// chooseMethod decides how series with total readings, the largest of them with most, are to be given within the query's
// MaxPoints.
func chooseMethod(q Query, total, most int64) Method {
	switch {
	case q.Downsample != Chosen:
		return q.Downsample
	case most <= int64(q.MaxPoints):
		return Raw
	case total <= cheapLTTB:
		return LTTB
	}
	return MinMax
}

// lttb appends to dst the n points of p that keep its shape best, by the method Largest Triangle Three Buckets: the points
// between the first and the last are divided into n−2 stretches of the same number, and of each the one is kept that
// makes the largest triangle with the one kept before and the mean of the next stretch (S. Steinarsson, Downsampling Time
// Series for Visual Representation, University of Iceland, 2013). n is at least 3; with no more than n points all are kept.
func lttb(dst, p chunk.Points, n int) chunk.Points {
	if p.Len() <= n {
		return chunk.Points{TS: append(dst.TS, p.TS...), Value: append(dst.Value, p.Value...)}
	}
	every := float64(p.Len()-2) / float64(n-2)
	edge := func(i int) int { return int(float64(i)*every) + 1 }
	kept := 0
	keep := func(i int) {
		dst.TS, dst.Value = append(dst.TS, p.TS[i]), append(dst.Value, p.Value[i])
		kept = i
	}
	keep(0)
	for i := range n - 2 {
		from, to := edge(i), edge(i+1)
		until := p.Len() // the last stretch is followed by the last point alone
		if i < n-3 {
			until = edge(i + 2)
		} else {
			to = p.Len() - 1
		}
		keep(largestTriangle(p, kept, from, to, until))
	}
	keep(p.Len() - 1)
	return dst
}

// largestTriangle returns the point in [from, to) that makes the largest triangle with the point at a and the mean of the
// points in [to, until).
func largestTriangle(p chunk.Points, a, from, to, until int) int {
	ta, va := p.TS[a], p.Value[a]
	var t, v float64 // the mean, relative to the point at a: times are large, and the differences small
	for i := to; i < until; i++ {
		t += float64(p.TS[i] - ta)
		v += p.Value[i] - va
	}
	t, v = t/float64(until-to), v/float64(until-to)
	best, largest := from, -1.0
	for i := from; i < to; i++ {
		// Twice the area. An overflow, which is not a number, is never larger.
		area := math.Abs(float64(p.TS[i]-ta)*v - t*(p.Value[i]-va))
		if area > largest {
			best, largest = i, area
		}
	}
	return best
}
