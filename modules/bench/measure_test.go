package bench

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// samples are the results of one contender, one a turn.
type samples []float64

// at returns the quantile q, from 0 to 1.
func (s samples) at(q float64) float64 {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

// contender is one way to do what is measured: the program first, then the baselines.
type contender struct {
	name    string
	measure func() float64
}

// compare measures contenders in turns, reports and returns the median of each, and reports what the first is of every
// other. Names are those of units: "requests/s".
func compare(b *testing.B, unit string, contenders ...contender) []float64 {
	b.Helper()
	results := make([]samples, len(contenders))
	for b.Loop() {
		for i, c := range contenders {
			results[i] = append(results[i], c.measure())
		}
	}
	b.ReportMetric(0, "ns/op") // a turn's length says nothing
	medians := make([]float64, len(contenders))
	for i, c := range contenders {
		medians[i] = results[i].at(0.5)
		b.ReportMetric(medians[i], strings.TrimPrefix(c.name+"-"+unit, "-"))
		if i > 0 {
			b.ReportMetric(medians[0]/medians[i], "x-"+c.name)
		}
	}
	return medians
}

// hammer has all workers call again and again for a span and returns how many calls they completed a second, all together.
func hammer(b *testing.B, span time.Duration, workers []func() error) float64 {
	b.Helper()
	var all sync.WaitGroup
	calls, errs := make([]int, len(workers)), make([]error, len(workers))
	began := time.Now()
	for i, call := range workers {
		all.Go(func() {
			for time.Since(began) < span && errs[i] == nil {
				errs[i] = call()
				calls[i]++
			}
		})
	}
	all.Wait()
	took, sum := time.Since(began), 0
	require.NoError(b, cmp.Or(errs...))
	for _, n := range calls {
		sum += n
	}
	return float64(sum) / took.Seconds()
}

// repeated returns the median of n measurements of how long call takes, in ms.
func repeated(b *testing.B, n int, call func() error) float64 {
	b.Helper()
	var all samples
	for range n {
		began := time.Now()
		require.NoError(b, call())
		all = append(all, ms(time.Since(began)))
	}
	return all.at(0.5)
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
