package operations

import (
	"math"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// families are gathered metrics by name.
type families map[string]*dto.MetricFamily

// gather returns what there is: a collector that fails leaves the others.
func gather(from prometheus.Gatherer) families {
	list, _ := from.Gather()
	all := make(families, len(list))
	for _, family := range list {
		all[family.GetName()] = family
	}
	return all
}

// labels pick metrics of a family: each has to have these values.
type labels map[string]string

func (l labels) fit(m *dto.Metric) bool {
	fitting := 0
	for _, pair := range m.GetLabel() {
		if want, asked := l[pair.GetName()]; asked {
			if pair.GetValue() != want {
				return false
			}
			fitting++
		}
	}
	return fitting == len(l)
}

// sum adds the values of counters and gauges, and NaN when there is no such family.
func (f families) sum(name string, where labels) float64 {
	family := f[name]
	if family == nil {
		return math.NaN()
	}
	sum := 0.0
	for _, m := range family.GetMetric() {
		if where.fit(m) {
			sum += m.GetCounter().GetValue() + m.GetGauge().GetValue() // one of them, the other is 0
		}
	}
	return sum
}

// distribution is how many observations a histogram has had up to each bound, and altogether.
type distribution struct {
	bounds []float64
	counts []float64 // up to the bound, those beneath it included
	total  float64
}

// distribution adds histograms of the same bounds.
func (f families) distribution(name string, where labels) (d distribution) {
	for _, m := range f[name].GetMetric() {
		if !where.fit(m) {
			continue
		}
		buckets := m.GetHistogram().GetBucket()
		if d.bounds == nil {
			d.bounds, d.counts = make([]float64, len(buckets)), make([]float64, len(buckets))
		}
		for n, bucket := range buckets {
			d.bounds[n] = bucket.GetUpperBound()
			d.counts[n] += float64(bucket.GetCumulativeCount())
		}
		d.total += float64(m.GetHistogram().GetSampleCount())
	}
	return d
}

// since returns what has been observed since an earlier look at the same histograms.
func (d distribution) since(before distribution) distribution {
	if before.bounds == nil {
		return d
	}
	now := distribution{bounds: d.bounds, counts: make([]float64, len(d.counts)), total: d.total - before.total}
	for n := range d.counts {
		now.counts[n] = d.counts[n] - before.counts[n]
	}
	return now
}

// quantile returns the value that the share of all observations do not exceed, evenly spread between bounds as Prometheus's
// histogram_quantile has it: https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile. What is beyond the
// last bound counts as that bound; NaN when nothing was observed.
func (d distribution) quantile(share float64) float64 {
	if d.total <= 0 || len(d.bounds) == 0 {
		return math.NaN()
	}
	rank, lower, below := share*d.total, 0.0, 0.0
	for n, upper := range d.bounds {
		if d.counts[n] >= rank {
			return lower + (upper-lower)*(rank-below)/(d.counts[n]-below)
		}
		lower, below = upper, d.counts[n]
	}
	return lower
}
