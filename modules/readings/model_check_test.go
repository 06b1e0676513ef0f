package readings

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// check asks both instances, once each has heard of the newest batch.
func (r *modelRun) check(t *testing.T) {
	t.Helper()
	q := r.query()
	for _, i := range r.instances {
		got := i.history(t, q)
		require.Equal(t, known(r.model.answer(q)), known(got.points))
		require.True(t, got.ended)
	}
	from, to := r.span()
	r.checkSQL(t, from, to)
	r.checkPages(t, q)
	r.checkLatest(t)
	r.checkVersions(t, q)
	r.checkDownsampling(t, Query{From: from, To: to, Zone: time.UTC})
}

// span returns a range of time that has readings.
func (r *modelRun) span() (from, to int64) {
	from = modelStart + int64(r.random.IntN(400_000_000))
	return from, from + 1 + int64(r.random.IntN(800_000_000))
}

var berlin, _ = time.LoadLocation("Europe/Berlin")

// query returns one of some of every kind.
func (r *modelRun) query() Query {
	from, to := r.span()
	fill := []Fill{NoFill, Null, Previous, Linear}[r.random.IntN(4)]
	queries := []Query{
		{From: modelStart, To: modelStart + 10*day},
		{From: from, To: to},
		{From: from, To: to, Interval: &Interval{Millis: 7 * minute}, Aggregates: Aggregates, Zone: time.UTC, Fill: fill},
		{From: from, To: to, Interval: &Interval{Millis: 2 * hour}, Aggregates: summarised, Zone: time.UTC, Fill: fill},
		{From: from, To: to, Interval: &Interval{Millis: day, Days: 1}, Aggregates: Aggregates, Zone: berlin, Fill: fill},
		{From: from, To: to, Interval: &Interval{Millis: day, Days: 1}, Aggregates: summarised, Zone: berlin},
		{From: from, To: to, Interval: &Interval{Millis: day, Days: 1}, Aggregates: summarised, Zone: time.UTC},
		{From: modelStart, To: modelStart + 10*day, Interval: &Interval{Millis: day, Days: 1}, Aggregates: summarised, Zone: time.UTC, Fill: fill},
		{From: modelStart, To: modelStart + 30*day, Interval: &Interval{Millis: 30 * day, Months: 1}, Aggregates: summarised, Zone: time.UTC},
		{From: from, To: to + 5*day, Interval: &Interval{Millis: 30 * day, Months: 1}, Aggregates: Aggregates, Zone: berlin, Fill: fill},
	}
	return queries[r.random.IntN(len(queries))]
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
		for _, e := range r.instances {
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
	got := r.instances[r.random.IntN(2)].history(t, q)
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
	got := r.instances[r.random.IntN(2)].history(t, q)
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

// checkPages reads the same answer in up to ten pages or so.
func (r *modelRun) checkPages(t *testing.T, q Query) {
	t.Helper()
	want := r.model.answer(q)
	total := 0
	for _, rows := range want {
		total += len(rows)
	}
	whole := &collected{points: map[string][][]float64{}}
	for q.Limit = 1 + total/(1+r.random.IntN(10)); ; {
		page := r.instances[0].history(t, q)
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
	for series, points := range r.model.series {
		newest := slices.Max(slices.Collect(maps.Keys(points)))
		want[series] = []float64{float64(newest), points[newest]}
	}
	for _, e := range r.instances {
		require.NoError(t, e.tail.Reach(t.Context()))
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
	got := map[string][][]float64{}
	err := r.db.InTx(t.Context(), pgx.TxOptions{}, func(tx pgx.Tx) error {
		for _, statement := range r.clockInSQL() {
			if _, err := tx.Exec(t.Context(), statement); err != nil {
				return err
			}
		}
		rows, err := tx.Query(t.Context(), `SELECT device || '/' || metric, ts, value FROM readings($1, NULL, $2, $3) ORDER BY 1, 2`,
			wanted, millis(from), millis(to))
		if err != nil {
			return err
		}
		var series string
		var ts time.Time
		var value float64
		_, err = pgx.ForEachRow(rows, []any{&series, &ts, &value}, func() error {
			got[series] = append(got[series], []float64{float64(ts.UnixMilli()), value})
			return nil
		})
		return err
	})
	require.NoError(t, err)
	want := r.model.answer(Query{From: from, To: to})
	maps.DeleteFunc(want, func(series string, _ [][]float64) bool {
		return wanted != nil && !slices.Contains(wanted, deviceOf(series))
	})
	require.Equal(t, want, got)
}

// clockInSQL returns the statements that give a transaction the run's clock in place of the server's.
func (r *modelRun) clockInSQL() []string {
	return []string{
		fmt.Sprintf(`CREATE OR REPLACE FUNCTION public.now() RETURNS timestamptz LANGUAGE sql STABLE AS $$ SELECT '%s'::timestamptz $$`,
			r.clock.Format(time.RFC3339Nano)),
		`SET LOCAL search_path = public, pg_catalog`,
	}
}

// checkTables folds the rest, and looks whether every day that is over and kept has the statistics of its readings, and
// chunks are as few as they should be.
func (r *modelRun) checkTables(t *testing.T) {
	t.Helper()
	r.instances[0].fold(t)
	const kept = `series_id IN (SELECT s.id FROM series AS s JOIN devices AS d ON d.id = s.device_id, log_state
		WHERE start_at >= coalesce($1::timestamptz - nullif(coalesce(d.retention_days, log_state.retention_days), 0) * interval '24 hours', '-infinity'))`
	for statement, reason := range map[string]string{
		`SELECT count(*) FROM reading_chunks a JOIN reading_chunks b USING (series_id)
			WHERE a.start_at < b.start_at AND b.start_at < a.start_at + a.hours * interval '1 hour' AND $1::timestamptz IS NOT NULL`: "chunks overlap",
		`SELECT count(*) FROM reading_chunks WHERE $1::timestamptz IS NOT NULL
			AND (count <> cardinality(value) OR hours = 1 AND start_at <> date_trunc('hour', start_at))`: "a chunk is odd",
		`SELECT count(*) FROM (
			SELECT series_id, date_trunc('day', start_at AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' AS start_at, sum(count) AS count,
				min(min) AS min, max(max) AS max, sum(sum) AS sum
			FROM reading_chunks, log_state WHERE hours <= 24 AND start_at < closed_until GROUP BY 1, 2
		) AS c FULL JOIN reading_days AS d USING (series_id, start_at)
		WHERE ` + kept + ` AND (c.count, c.min, c.max, c.sum) IS DISTINCT FROM (d.count, d.min, d.max, d.sum)`: "the statistics of a day are not those of its chunks",
		fmt.Sprintf(`SELECT count(*) FROM (
			SELECT series_id, date_trunc('day', start_at AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' AS start_at FROM reading_chunks, log_state
			WHERE start_at < closed_until GROUP BY 1, 2 HAVING count(*) > 1 AND sum(count) <= %d
		) AS c WHERE `, r.pack) + kept: "a day could be one chunk",
	} {
		var n int
		require.NoError(t, r.db.QueryRow(t.Context(), statement, r.clock).Scan(&n))
		require.Zero(t, n, reason)
	}
}
