package readings

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
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
		var rows [][]float64
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
			rows, ts = append(rows, row), ts[n:]
		}
		if rows = plainFill(rows, q); len(rows) > 0 {
			answer[series] = rows
		}
	}
	return answer
}

// plainFill adds the empty buckets: every one that has an instant of the range, found by going through it minute by minute.
func plainFill(rows [][]float64, q Query) (filled [][]float64) {
	if q.Fill == NoFill {
		return rows
	}
	for ts := q.From; ts < q.To; ts = min(ts-ts%minute+minute, q.To) {
		start := float64(bucketOf(ts, q))
		if n := len(filled); n > 0 && filled[n-1][0] == start {
			continue
		}
		i, found := slices.BinarySearchFunc(rows, start, func(row []float64, start float64) int { return cmp.Compare(row[0], start) })
		if found {
			filled = append(filled, rows[i])
			continue
		}
		row := []float64{start}
		for column, aggregate := range q.Aggregates {
			value := math.NaN()
			switch {
			case aggregate == Count:
				value = 0
			case i > 0 && q.Fill == Previous:
				value = rows[i-1][column+1]
			case i > 0 && i < len(rows) && q.Fill == Linear:
				a, b := rows[i-1], rows[i]
				value = a[column+1] + (start-a[0])/(b[0]-a[0])*(b[column+1]-a[column+1])
			}
			row = append(row, value)
		}
		filled = append(filled, row)
	}
	return filled
}

// known returns an answer with something comparable in place of NaN.
func known(answer map[string][][]float64) map[string][][]float64 {
	for _, rows := range answer {
		for _, row := range rows {
			for i := range row {
				if math.IsNaN(row[i]) {
					row[i] = math.Inf(1)
				}
			}
		}
	}
	return answer
}

// bucketOf finds the start of a bucket without the code under test: days by walking local midnights, the rest by division.
func bucketOf(ts int64, q Query) int64 {
	t := time.UnixMilli(ts).In(q.Zone)
	switch {
	case q.Interval.Days == 1:
		return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, q.Zone).UnixMilli()
	case q.Interval.Months == 1:
		return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, q.Zone).UnixMilli()
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
	case Last:
		return values[len(values)-1]
	}
	// The percentile by its definition: the values at the ranks around it, weighted by how near they are.
	values = slices.Clone(values)
	slices.Sort(values)
	place := map[Aggregate]float64{Median: 0.5, P95: 0.95}[aggregate] * float64(len(values)-1)
	below, above := values[int(math.Floor(place))], values[int(math.Ceil(place))]
	return below + (place-math.Floor(place))*(above-below)
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
			require.Positive(t, run.notModified)
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

	asked       []asked
	notModified int
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
	span := 1 + int64(r.random.IntN(800_000_000))
	fill := []Fill{NoFill, Null, Previous, Linear}[r.random.IntN(4)]
	queries := []Query{
		{From: modelStart, To: modelStart + 10*day},
		{From: from, To: from + span},
		{From: from, To: from + span, Interval: &Interval{Millis: 7 * minute}, Aggregates: Aggregates, Zone: time.UTC, Fill: fill},
		{From: from, To: from + span, Interval: &Interval{Millis: 2 * hour}, Aggregates: summarised, Zone: time.UTC, Fill: fill},
		{From: from, To: from + span, Interval: &Interval{Millis: day, Days: 1}, Aggregates: summarised, Zone: berlin, Fill: fill},
		{From: from, To: from + span, Interval: &Interval{Millis: day, Days: 1}, Aggregates: summarised, Zone: time.UTC},
		{From: modelStart, To: modelStart + 10*day, Interval: &Interval{Millis: day, Days: 1}, Aggregates: summarised, Zone: time.UTC, Fill: fill},
		{From: modelStart, To: modelStart + 30*day, Interval: &Interval{Millis: 30 * day, Months: 1}, Aggregates: summarised, Zone: time.UTC},
		{From: from, To: from + span + 5*day, Interval: &Interval{Millis: 30 * day, Months: 1}, Aggregates: Aggregates, Zone: berlin, Fill: fill},
	}
	q := queries[r.random.IntN(len(queries))]
	for _, e := range r.engines {
		require.Eventually(t, func() bool { return e.window.Head() >= r.seq }, 10*time.Second, time.Millisecond)
		got := e.history(t, q)
		require.Equal(t, known(r.model.answer(q)), known(got.points))
		require.True(t, got.ended)
	}
	r.checkSQL(t, from, from+span)
	r.checkPages(t, q)
	r.checkLatest(t)
	r.checkVersions(t, q)
	r.checkDownsampling(t, Query{From: from, To: from + span, Zone: time.UTC})
}

// summarised are the aggregates for which a chunk's summary will do.
var summarised = []Aggregate{Avg, Min, Max, Sum, Count, First, Last}

// checkVersions asks again for what was asked before: an answer that need not be sent again must be the one remembered, and
// an answer whose version nothing has touched must not be sent again.
func (r *modelRun) checkVersions(t *testing.T, q Query) {
	t.Helper()
	q.Versioned = true
	for i := range r.asked {
		asked := &r.asked[i]
		for _, e := range r.engines {
			got := &collected{points: map[string][][]float64{}, have: asked.version}
			err := e.History(t.Context(), everyone, asked.query, got)
			if errors.Is(err, errNotModified) {
				require.Equal(t, asked.answer, known(r.model.answer(asked.query)), "a stale answer was taken for the present one")
				r.notModified++
				continue
			}
			require.NoError(t, err)
		}
	}
	got := r.engines[r.random.IntN(2)].history(t, q)
	require.NotEmpty(t, got.version)
	if len(r.asked) < 3 {
		r.asked = append(r.asked, asked{})
	}
	r.asked[r.random.IntN(len(r.asked))] = asked{q, got.version, known(got.points)}
}

// asked is a query of a while ago.
type asked struct {
	query   Query
	version string
	answer  map[string][][]float64
}

// checkDownsampling asks for a chart.
func (r *modelRun) checkDownsampling(t *testing.T, q Query) {
	t.Helper()
	q.MaxPoints = minMaxPoints + r.random.IntN(40)
	q.Downsample = []Method{Chosen, LTTB, MinMax}[r.random.IntN(3)]
	raw := r.model.answer(Query{From: q.From, To: q.To})
	got := r.engines[r.random.IntN(2)].history(t, q)
	switch got.plan.Method {
	case Raw:
		require.Equal(t, raw, got.points)
	case MinMax:
		require.Equal(t, r.model.answer(got.query), got.points)
	default:
		require.Len(t, got.points, len(raw))
		for series, rows := range raw {
			require.Equal(t, plainLTTB(rows, q.MaxPoints), got.points[series])
		}
	}
	for _, rows := range got.points {
		require.LessOrEqual(t, len(rows), q.MaxPoints)
	}
}

// plainLTTB follows the pseudocode of Steinarsson's thesis (section 4.2) on rows of an instant and a value.
func plainLTTB(rows [][]float64, n int) [][]float64 {
	if len(rows) <= n {
		return rows
	}
	every := float64(len(rows)-2) / float64(n-2)
	edge := func(i int) int { return min(int(math.Floor(float64(i)*every))+1, len(rows)-1) }
	kept := [][]float64{rows[0]}
	for i := range n - 2 {
		a := kept[len(kept)-1]
		next := rows[edge(i+1):max(edge(i+1)+1, edge(i+2))]
		if i == n-3 {
			next = rows[len(rows)-1:]
		}
		var t, v float64
		for _, row := range next {
			t, v = t+(row[0]-a[0])/float64(len(next)), v+(row[1]-a[1])/float64(len(next))
		}
		candidates := rows[edge(i):edge(i+1)]
		if i == n-3 {
			candidates = rows[edge(i) : len(rows)-1]
		}
		best, largest := candidates[0], -1.0
		for _, row := range candidates {
			// Differences in the last digits must not decide.
			if area := math.Abs((row[0]-a[0])*v - t*(row[1]-a[1])); area > largest*(1+1e-12) {
				best, largest = row, area
			}
		}
		kept = append(kept, best)
	}
	return append(kept, rows[len(rows)-1])
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
	require.Equal(t, known(want), known(whole.points))
}

func (r *modelRun) checkLatest(t *testing.T) {
	t.Helper()
	want := map[string][]float64{}
	for series, points := range r.model {
		newest := slices.Max(slices.Collect(maps.Keys(points)))
		want[series] = []float64{float64(newest), points[newest]}
	}
	for _, e := range r.engines {
		states, err := e.Latest(t.Context(), everyone, Selection{})
		require.NoError(t, err)
		got := map[string][]float64{}
		for _, s := range states {
			got[s.Device+"/"+s.Metric] = []float64{float64(s.LastTS), s.LastValue}
		}
		require.Equal(t, want, got)
	}
}

// checkSQL asks the database for the readings as plain rows.
func (r *modelRun) checkSQL(t *testing.T, from, to int64) {
	t.Helper()
	var wanted []string
	if r.random.IntN(2) == 0 {
		wanted = []string{"device-1", "device-3", "unknown"}
	}
	rows, err := r.db.Query(t.Context(), `SELECT device || '/' || metric, ts, value FROM readings($1, NULL, $2, $3) ORDER BY 1, 2`,
		wanted, millis(from), millis(to))
	require.NoError(t, err)
	got := map[string][][]float64{}
	var series string
	var ts time.Time
	var value float64
	_, err = pgx.ForEachRow(rows, []any{&series, &ts, &value}, func() error {
		got[series] = append(got[series], []float64{float64(ts.UnixMilli()), value})
		return nil
	})
	require.NoError(t, err)
	want := r.model.answer(Query{From: from, To: to})
	maps.DeleteFunc(want, func(series string, _ [][]float64) bool {
		device, _, _ := strings.Cut(series, "/")
		return wanted != nil && !slices.Contains(wanted, device)
	})
	require.Equal(t, want, got)
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
