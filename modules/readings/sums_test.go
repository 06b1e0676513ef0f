package readings_test

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/modules/readings/bucket"
	"telltale/modules/readings/chunk"
	"telltale/modules/readings/fold"
	"telltale/modules/readings/history"
	"telltale/platform/postgres/pgtest"
)

// bigSum returns the exact sum.
func bigSum(values []float64) *big.Float {
	sum := new(big.Float).SetPrec(2200)
	for _, v := range values {
		sum.Add(sum, new(big.Float).SetFloat64(v))
	}
	return sum
}

// bigMean returns the exact mean, rounded once.
func bigMean(values []float64) float64 {
	mean, _ := new(big.Float).SetPrec(2200).Quo(bigSum(values), new(big.Float).SetInt64(int64(len(values)))).Float64()
	return mean
}

// magnitude returns the mean of the absolute values, which sums with cancellation are measured by.
func magnitude(values []float64) float64 {
	absolute := slices.Clone(values)
	for i, v := range absolute {
		absolute[i] = math.Abs(v)
	}
	return bigMean(absolute)
}

// requireMean checks a mean against the exact one: it is within the extremes, and off by less than a part in 10^15 of what was
// summed.
func requireMean(t testing.TB, values []float64, mean float64, what ...any) {
	t.Helper()
	require.GreaterOrEqual(t, mean, slices.Min(values), what...)
	require.LessOrEqual(t, mean, slices.Max(values), what...)
	require.LessOrEqual(t, math.Abs(mean/2-bigMean(values)/2), magnitude(values)*1e-15+math.SmallestNonzeroFloat64, what...)
}

// finite reports whether a value is a number that a reading may have.
func finite(v float64) bool { return !math.IsInf(v, 0) && !math.IsNaN(v) }

func repeated(value float64, n int) []float64 { return slices.Repeat([]float64{value}, n) }

// hardSums are values whose naive sums are wrong, each longer than an hour of readings a minute.
func hardSums() map[string][]float64 {
	random := rand.New(rand.NewPCG(7, 7))
	made := func(n int, f func() float64) (values []float64) {
		for range n {
			values = append(values, f())
		}
		return values
	}
	anything := func() float64 {
		for {
			if v := math.Float64frombits(random.Uint64()); finite(v) {
				return v
			}
		}
	}
	return map[string][]float64{
		"the same":         repeated(21.3, 1440*3),
		"a tenth":          repeated(0.1, 3600),
		"seven tenths":     repeated(0.7, 4000),
		"the greatest":     repeated(math.MaxFloat64, 300),
		"the least":        repeated(-math.MaxFloat64, 300),
		"subnormal":        repeated(5e-324, 300),
		"beyond the range": slices.Repeat([]float64{1.7e308, 1.7e308, -1.7e308}, 100),
		"back again":       append(repeated(1.7e308, 200), repeated(-1.7e308, 200)...),
		"cancelling":       slices.Repeat([]float64{1e16, 1, -1e16}, 200),
		"hours that cancel": append(append(append(repeated(1e300, 60), repeated(1, 60)...), repeated(-1e300, 60)...),
			repeated(3, 60)...),
		"random":      made(500, random.NormFloat64),
		"any float64": made(500, anything),
		"huge":        made(500, func() float64 { return (random.Float64()*2 - 1) * math.MaxFloat64 }),
	}
}

func TestTotal_AgreesWithExactSumsHoweverItIsMade(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for name, values := range hardSums() {
		for range 50 {
			var s chunk.Statistics
			for rest := values; len(rest) > 0; {
				n := 1 + random.IntN(len(rest))
				var part chunk.Statistics
				part.Add(rest[:n/2])
				part.Add(rest[n/2 : n])
				if random.IntN(2) == 0 {
					s.Merge(part)
				} else {
					s.Add(rest[:n])
				}
				rest = rest[n:]
			}
			require.Equal(t, int64(len(values)), s.Count)
			requireMean(t, values, s.Mean(), name)
			sum, _ := bigSum(values).Float64()
			if !finite(sum) {
				require.Equal(t, sum, bucket.Sum.Of(s, nil), name)
			} else {
				require.InDelta(t, sum/2, bucket.Sum.Of(s, nil)/2, magnitude(values)*1e-15*float64(len(values)), name)
			}
		}
	}
}

func FuzzTotal(f *testing.F) {
	f.Add(1.7e308, 1.7e308, -1.7e308, 0.1, uint8(1))
	f.Add(math.MaxFloat64, math.MaxFloat64, -math.MaxFloat64, 5e-324, uint8(3))
	f.Fuzz(func(t *testing.T, a, b, c, d float64, cut uint8) {
		values := slices.Repeat([]float64{a, b, c, d}, 3)
		if slices.ContainsFunc(values, func(v float64) bool { return !finite(v) }) {
			return
		}
		var s, next chunk.Statistics
		n := int(cut) % len(values)
		s.Add(values[:n])
		next.Add(values[n:])
		s.Merge(next)
		requireMean(t, values, s.Mean())
		slices.Sort(values)
		for _, aggregate := range []bucket.Aggregate{bucket.Median, bucket.P95} {
			require.GreaterOrEqual(t, aggregate.Of(s, values), s.Min)
			require.LessOrEqual(t, aggregate.Of(s, values), s.Max)
		}
	})
}

func TestBetween_IsFiniteAndWithinItsEnds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ a, b, way, want float64 }{
		{-1.7e308, 1.7e308, 0.5, 0},
		{1.7e308, -1.7e308, 0.25, 0.85e308},
		{-math.MaxFloat64, math.MaxFloat64, 1, math.MaxFloat64},
		{0.1, 0.1, 0.3, 0.1},
		{1, 3, 0.5, 2},
	} {
		require.InDelta(t, c.want, bucket.Between(c.a, c.b, c.way), math.Abs(c.want)*1e-15, "%v", c)
	}
}

// Wherever readings are, in the window, in chunks of hours, days or months, or in the statistics of days, their mean is that of
// the same values.
func TestAggregates_AreTheSameAtEveryStage(t *testing.T) {
	t.Parallel()
	const start = 1_764_547_200_000 // 2025-12-01
	all := hardSums()
	for _, pack := range []int{50, 2000, 5000} { // days of two thousand have the statistics of their hours
		db := pgtest.New(t)
		e := startEngine(t, db)
		for name, values := range all {
			points := chunk.Points{Value: values}
			for i := range values {
				points.TS = append(points.TS, start+int64(i)*chunk.Minute)
			}
			e.postPoints(t, strings.ReplaceAll(name, " ", "-"), points)
		}
		requireStage(t, e, all, start, "window")
		_, err := db.Exec(t.Context(), `UPDATE log_state SET closed_until = '2025-12-01Z'`)
		require.NoError(t, err)
		e.FoldWith(func(p *fold.Parts) { p.Pack = pack })
		e.SetNow(func() time.Time { return chunk.UTC(start) })
		e.FoldAll(t)
		requireStage(t, e, all, start, "hours")
		e.SetNow(func() time.Time { return chunk.UTC(start + 40*chunk.Day) })
		require.NoError(t, e.Runner.CloseDays(t.Context()))
		requireStage(t, e, all, start, "days and months")
		var beyond, days, hourly int
		require.NoError(t, db.QueryRow(t.Context(), `SELECT
			(SELECT count(*) FROM reading_chunks WHERE sum IN ('Infinity', '-Infinity')), (SELECT count(*) FROM reading_days),
			(SELECT count(hourly) FROM reading_chunks)`).Scan(&beyond, &days, &hourly))
		require.Positive(t, beyond)
		require.Equal(t, pack == 5000, days == 0)
		require.Equal(t, pack == 2000, hourly > 0)
	}
}

// requireStage checks the aggregates of each device, which has its values a minute apart from start on.
func requireStage(t *testing.T, e *engine, all map[string][]float64, start int64, stage string) {
	t.Helper()
	for _, text := range []string{"10m", "1h", "1d", "1w", "1mo", "1y"} {
		interval, err := bucket.ParseInterval(text)
		require.NoError(t, err)
		q := history.Query{From: start - 400*chunk.Day, To: start + 400*chunk.Day, Interval: &interval, Aggregates: []bucket.Aggregate{bucket.Count, bucket.Avg, bucket.Sum}}
		if text == "10m" || text == "1w" { // the others are answered from statistics
			q.Aggregates = append(q.Aggregates, bucket.Median, bucket.P95)
		}
		for name, rows := range e.Answer(t, q).Rows {
			values := all[strings.ReplaceAll(strings.TrimSuffix(name, "/m"), "-", " ")]
			for _, row := range rows {
				part := values[:int(row[1])]
				values = values[len(part):]
				requireMean(t, part, row[2], "%s: %s by %s", stage, name, text)
				if sum, _ := bigSum(part).Float64(); !finite(sum) {
					require.Equal(t, sum, row[3])
				} else {
					require.InDelta(t, sum/2, row[3]/2, magnitude(part)*1e-15*float64(len(part)), "%s: %s by %s", stage, name, text)
				}
				for _, v := range row[4:] {
					require.True(t, slices.Min(part) <= v && v <= slices.Max(part), "%s: %s by %s: %v", stage, name, text, v)
				}
			}
			require.Empty(t, values, "%s: %s by %s", stage, name, text)
		}
	}
}

// postPoints ingests readings of a device's metric m.
func (e *engine) postPoints(t testing.TB, device string, points chunk.Points) {
	t.Helper()
	body := []byte(`{"readings":[`)
	for i, ts := range points.TS {
		if i > 0 {
			body = append(body, ',')
		}
		body = fmt.Appendf(body, `{"device":%q,"ts":%d,"values":{"m":%v}}`, device, ts, points.Value[i])
	}
	e.Post(t, "%s", append(body, "]}"...))
}
