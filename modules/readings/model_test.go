package readings

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/platform/postgres/pgtest"
)

// model is what the engine must agree with: every reading in plain maps, the last write of each instant.
type model map[string]map[int64]float64

func (m model) set(series string, ts int64, value float64) {
	if m[series] == nil {
		m[series] = map[int64]float64{}
	}
	m[series][ts] = value
}

func (m model) drop(device string) {
	maps.DeleteFunc(m, func(series string, _ map[int64]float64) bool { return strings.HasPrefix(series, device+"/") })
}

// answer computes what History must answer, the slow and obvious way.
func (m model) answer(q Query) map[string][][]float64 {
	answer := map[string][][]float64{}
	for series, points := range m {
		var ts []int64
		for t := range points {
			if t >= q.From && t < q.To {
				ts = append(ts, t)
			}
		}
		slices.Sort(ts)
		if q.Interval == nil {
			for _, t := range ts {
				answer[series] = append(answer[series], []float64{float64(t), points[t]})
			}
			continue
		}
		for len(ts) > 0 {
			start := bucketOf(ts[0], q)
			n := 0
			var values []float64
			for n < len(ts) && bucketOf(ts[n], q) == start {
				values = append(values, points[ts[n]])
				n++
			}
			row := []float64{float64(start)}
			for _, aggregate := range q.Aggregates {
				row = append(row, plainAggregate(aggregate, values))
			}
			answer[series], ts = append(answer[series], row), ts[n:]
		}
	}
	return answer
}

// bucketOf finds the start of a bucket without the code under test: days by walking local midnights, the rest by division.
func bucketOf(ts int64, q Query) int64 {
	if q.Interval.Days == 1 {
		t := time.UnixMilli(ts).In(q.Zone)
		return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, q.Zone).UnixMilli()
	}
	return ts / q.Interval.Millis * q.Interval.Millis
}

func plainAggregate(aggregate Aggregate, values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	switch aggregate {
	case Avg:
		return sum / float64(len(values))
	case Min:
		return slices.Min(values)
	case Max:
		return slices.Max(values)
	case Sum:
		return sum
	case Count:
		return float64(len(values))
	case First:
		return values[0]
	}
	return values[len(values)-1]
}

// TestTheEngineAgreesWithAPlainModel runs random appends (late, repeated, corrected, in any order), folds, deletions and
// restarts, and compares every kind of query after each.
func TestTheEngineAgreesWithAPlainModel(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			run := modelRun{random: rand.New(rand.NewPCG(seed, 1)), model: model{}}
			db := pgtest.New(t)
			run.engines = []*engine{startEngine(t, db), startEngine(t, db)}
			for range 120 {
				run.step(t)
				if run.random.IntN(10) == 0 { // a third instance, in place of a restarted one
					run.engines[run.random.IntN(2)] = startEngine(t, db)
				}
				run.check(t)
			}
		})
	}
}

type modelRun struct {
	random  *rand.Rand
	model   model
	engines []*engine
	seq     int64 // of the newest batch
}

// modelStart is a day on which clocks change in Berlin.
var modelStart = time.Date(2026, 10, 24, 20, 0, 0, 0, time.UTC).UnixMilli()

func (r *modelRun) step(t *testing.T) {
	t.Helper()
	e := r.engines[r.random.IntN(len(r.engines))]
	switch n := r.random.IntN(20); {
	case n < 12:
		r.post(t, e)
	case n < 17:
		e.fold(t)
	case n < 18:
		e.window.Prune(time.Now().Add(time.Hour))
	default:
		device := fmt.Sprint("device-", r.random.IntN(4))
		if err := e.Drop(t.Context(), device); err == nil {
			r.model.drop(device)
		}
		state, err := e.log.State(t.Context())
		require.NoError(t, err)
		r.seq = state.Head
	}
}

// post sends up to 40 readings: mostly in order, around hour and day boundaries, some of them at instants used before.
func (r *modelRun) post(t *testing.T, e *engine) {
	t.Helper()
	var items []string
	type reading struct {
		series string
		ts     int64
		value  float64
	}
	var readings []reading
	for range 1 + r.random.IntN(40) {
		device, metric := fmt.Sprint("device-", r.random.IntN(4)), fmt.Sprint("metric-", r.random.IntN(2))
		ts := modelStart + int64(r.random.IntN(2000))*90_000
		value := float64(r.random.IntN(1000)) / 4 // sums of quarters are exact
		items = append(items, fmt.Sprintf(`{"device":%q,"ts":%d,"values":{%q:%v}}`, device, ts, metric, value))
		readings = append(readings, reading{device + "/" + metric, ts, value})
	}
	r.seq = e.post(t, `{"readings":[%s]}`, strings.Join(items, ","))
	for _, x := range readings {
		r.model.set(x.series, x.ts, x.value)
	}
}

// check asks both instances, once each has heard of the newest batch.
func (r *modelRun) check(t *testing.T) {
	t.Helper()
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	from := modelStart + int64(r.random.IntN(100_000_000))
	span := int64(r.random.IntN(200_000_000))
	queries := []Query{
		{From: modelStart, To: modelStart + 10*day},
		{From: from, To: from + span},
		{From: from, To: from + span, Interval: &Interval{Millis: 7 * minute}, Aggregates: Aggregates},
		{From: from, To: from + span, Interval: &Interval{Millis: 2 * hour}, Aggregates: Aggregates, Zone: time.UTC},
		{From: from, To: from + span, Interval: &Interval{Millis: day, Days: 1}, Aggregates: Aggregates, Zone: berlin},
	}
	q := queries[r.random.IntN(len(queries))]
	for _, e := range r.engines {
		require.Eventually(t, func() bool { return e.window.Head() >= r.seq }, 10*time.Second, time.Millisecond)
		got := e.history(t, q)
		require.Equal(t, r.model.answer(q), got.points)
		require.True(t, got.ended)
	}
	r.checkPages(t, q)
	r.checkLatest(t)
}

// checkPages reads the same answer a few points at a time.
func (r *modelRun) checkPages(t *testing.T, q Query) {
	t.Helper()
	want := r.model.answer(q)
	whole := &collected{points: map[string][][]float64{}}
	for q.Limit = 1 + r.random.IntN(50); ; {
		page := r.engines[0].history(t, q)
		n := 0
		for series, rows := range page.points {
			whole.points[series] = append(whole.points[series], rows...)
			n += len(rows)
		}
		require.LessOrEqual(t, n, q.Limit)
		if page.next == nil {
			break
		}
		require.Equal(t, q.Limit, n)
		cursor, err := parseCursor(page.next.String())
		require.NoError(t, err)
		q.After = &cursor
	}
	require.Equal(t, want, whole.points)
}

func (r *modelRun) checkLatest(t *testing.T) {
	t.Helper()
	want := map[string][]float64{}
	for series, points := range r.model {
		newest := slices.Max(slices.Collect(maps.Keys(points)))
		want[series] = []float64{float64(newest), points[newest]}
	}
	for _, e := range r.engines {
		states, err := e.Latest(everyone, nil, nil)
		require.NoError(t, err)
		got := map[string][]float64{}
		for _, s := range states {
			got[s.Device+"/"+s.Metric] = []float64{float64(s.LastTS), s.LastValue}
		}
		require.Equal(t, want, got)
	}
}
