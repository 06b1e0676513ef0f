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

	"telltale/platform/postgres"
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
			run := modelRun{random: rand.New(rand.NewPCG(seed, 1)), model: model{}, db: pgtest.New(t), clock: millis(modelStart)}
			run.pack = []int{4, 40, packReadings}[run.random.IntN(3)]
			_, err := run.db.Exec(t.Context(), updateClosed, run.clock.Truncate(24*time.Hour))
			require.NoError(t, err)
			run.engines = []*engine{run.start(t), run.start(t)}
			for range 120 {
				run.step(t)
				if run.random.IntN(10) == 0 { // a third instance, in place of a restarted one
					run.engines[run.random.IntN(2)] = run.start(t)
				}
				run.check(t)
			}
			run.checkTables(t)
		})
	}
}

type modelRun struct {
	random  *rand.Rand
	model   model
	db      *postgres.DB
	engines []*engine
	seq     int64 // of the newest batch
	clock   time.Time
	pack    int
}

// start starts an instance that lives by the run's clock.
func (r *modelRun) start(t *testing.T) *engine {
	t.Helper()
	e := startEngine(t, r.db)
	e.folder.now, e.folder.pack = func() time.Time { return r.clock }, r.pack
	return e
}

// modelStart is a day on which clocks change in Berlin, a week before the end of a month.
var modelStart = time.Date(2026, 10, 24, 20, 0, 0, 0, time.UTC).UnixMilli()

func (r *modelRun) step(t *testing.T) {
	t.Helper()
	e := r.engines[r.random.IntN(len(r.engines))]
	switch n := r.random.IntN(25); {
	case n < 12:
		r.post(t, e)
	case n < 17:
		e.fold(t)
	case n < 18:
		e.window.Prune(time.Now().Add(time.Hour))
	case n < 23:
		r.clock = r.clock.Add(time.Duration(r.random.IntN(int(30 * time.Hour))))
		require.NoError(t, e.folder.closeDays(t.Context()))
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
		ts := modelStart + int64(r.random.IntN(2000))*360_000
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
	from := modelStart + int64(r.random.IntN(400_000_000))
	span := int64(r.random.IntN(800_000_000))
	queries := []Query{
		{From: modelStart, To: modelStart + 10*day},
		{From: from, To: from + span},
		{From: from, To: from + span, Interval: &Interval{Millis: 7 * minute}, Aggregates: Aggregates},
		{From: from, To: from + span, Interval: &Interval{Millis: 2 * hour}, Aggregates: Aggregates, Zone: time.UTC},
		{From: from, To: from + span, Interval: &Interval{Millis: day, Days: 1}, Aggregates: Aggregates, Zone: berlin},
		{From: from, To: from + span, Interval: &Interval{Millis: day, Days: 1}, Aggregates: Aggregates, Zone: time.UTC},
		{From: modelStart, To: modelStart + 10*day, Interval: &Interval{Millis: day, Days: 1}, Aggregates: Aggregates, Zone: time.UTC},
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

// checkTables folds the rest, and looks whether every day that is over has the statistics of its readings, and chunks are as
// few as they should be.
func (r *modelRun) checkTables(t *testing.T) {
	t.Helper()
	r.engines[0].fold(t)
	for statement, reason := range map[string]string{
		`SELECT count(*) FROM reading_chunks a JOIN reading_chunks b USING (series_id)
			WHERE a.start_at < b.start_at AND b.start_at < a.start_at + a.hours * interval '1 hour'`: "chunks overlap",
		`SELECT count(*) FROM reading_chunks WHERE count <> cardinality(value) OR hours = 1 AND start_at <> date_trunc('hour', start_at)`: "a chunk is odd",
		`SELECT count(*) FROM (
			SELECT series_id, date_trunc('day', start_at AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' AS start_at, sum(count) AS count,
				min(min) AS min, max(max) AS max, sum(sum) AS sum
			FROM reading_chunks, log_state WHERE hours <= 24 AND start_at < closed_until GROUP BY 1, 2
		) AS c FULL JOIN reading_days AS d USING (series_id, start_at)
		WHERE (c.count, c.min, c.max, c.sum) IS DISTINCT FROM (d.count, d.min, d.max, d.sum)`: "the statistics of a day are not those of its chunks",
		fmt.Sprintf(`SELECT count(*) FROM (
			SELECT series_id, date_trunc('day', start_at AT TIME ZONE 'UTC') FROM reading_chunks, log_state
			WHERE start_at < closed_until GROUP BY 1, 2 HAVING count(*) > 1 AND sum(count) <= %d) AS c`, r.pack): "a day could be one chunk",
	} {
		var n int
		require.NoError(t, r.db.QueryRow(t.Context(), statement).Scan(&n))
		require.Zero(t, n, reason)
	}
}
