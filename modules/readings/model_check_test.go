package readings_test

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"telltale/modules/readings/bucket"
	"telltale/modules/readings/chunk"
	"telltale/modules/readings/history"
	"telltale/modules/readings/readingstest"
	"telltale/modules/series"
)

// check asks both instances, once each has heard of the newest batch.
func (r *modelRun) check(t *testing.T) {
	t.Helper()
	q := r.query()
	for _, i := range r.instances {
		got := i.Answer(t, q)
		require.Equal(t, known(r.model.answer(q)), known(got.Rows))
		require.True(t, got.Ended)
	}
	from, to := r.span()
	if !r.deleting(t) {
		r.checkSQL(t, from, to)
		r.checkSQLBuckets(t, r.query())
	}
	r.checkPages(t, q)
	r.checkLatest(t)
	r.checkVersions(t, q)
	r.checkDownsampling(t, history.Query{From: from, To: to, Zone: time.UTC})
}

// span returns a range of time that has readings.
func (r *modelRun) span() (from, to int64) {
	from = modelStart + int64(r.random.IntN(400_000_000))
	return from, from + 1 + int64(r.random.IntN(800_000_000))
}

var berlin, _ = time.LoadLocation("Europe/Berlin")

// query returns one of some of every kind.
func (r *modelRun) query() history.Query {
	from, to := r.span()
	fill := []history.Fill{history.NoFill, history.Null, history.Previous, history.Linear}[r.random.IntN(4)]
	queries := []history.Query{
		{From: modelStart, To: modelStart + 10*chunk.Day},
		{From: from, To: to},
		{From: from, To: to, Interval: &bucket.Interval{Millis: 7 * chunk.Minute}, Aggregates: bucket.Aggregates, Zone: time.UTC, Fill: fill},
		{From: from, To: to, Interval: &bucket.Interval{Millis: 2 * chunk.Hour}, Aggregates: aggregates, Zone: time.UTC, Fill: fill},
		{From: from, To: to, Interval: &bucket.Interval{Millis: chunk.Day, Days: 1}, Aggregates: bucket.Aggregates, Zone: berlin, Fill: fill},
		{From: from, To: to, Interval: &bucket.Interval{Millis: chunk.Day, Days: 1}, Aggregates: aggregates, Zone: berlin},
		{From: from, To: to, Interval: &bucket.Interval{Millis: chunk.Day, Days: 1}, Aggregates: aggregates, Zone: time.UTC},
		{From: modelStart, To: modelStart + 10*chunk.Day, Interval: &bucket.Interval{Millis: chunk.Day, Days: 1}, Aggregates: aggregates, Zone: time.UTC, Fill: fill},
		{From: modelStart, To: modelStart + 30*chunk.Day, Interval: &bucket.Interval{Millis: 30 * chunk.Day, Months: 1}, Aggregates: aggregates, Zone: time.UTC},
		{From: from, To: to + 5*chunk.Day, Interval: &bucket.Interval{Millis: 30 * chunk.Day, Months: 1}, Aggregates: bucket.Aggregates, Zone: berlin, Fill: fill},
	}
	return queries[r.random.IntN(len(queries))]
}

// aggregates are the aggregates for which a chunk's statistics will do.
var aggregates = []bucket.Aggregate{bucket.Avg, bucket.Min, bucket.Max, bucket.Sum, bucket.Count, bucket.First, bucket.Last}

// checkVersions asks again for what was asked before: an answer that need not be sent again must be the one remembered, and
// an answer whose version nothing has touched must not be sent again.
func (r *modelRun) checkVersions(t *testing.T, q history.Query) {
	t.Helper()
	q.Versioned = true
	for i := range r.asked {
		asked := &r.asked[i]
		for _, e := range r.instances {
			got := &collected{Rows: map[string][][]float64{}, Have: asked.version}
			err := e.Queries.History(t.Context(), everyone, asked.query, got)
			if errors.Is(err, readingstest.ErrNotModified) {
				require.Equal(t, asked.answer, known(r.model.answer(asked.query)), "a stale answer was taken for the present one")
				r.notModified++
				continue
			}
			require.NoError(t, err)
		}
	}
	got := r.instances[r.random.IntN(2)].Answer(t, q)
	require.NotEmpty(t, got.Version)
	if len(r.asked) < 3 {
		r.asked = append(r.asked, asked{})
	}
	r.asked[r.random.IntN(len(r.asked))] = asked{q, got.Version, known(got.Rows)}
}

// asked is a query of a while ago.
type asked struct {
	query   history.Query
	version string
	answer  map[string][][]float64
}

// checkDownsampling asks for a chart.
func (r *modelRun) checkDownsampling(t *testing.T, q history.Query) {
	t.Helper()
	q.MaxPoints = 3 + r.random.IntN(40)
	q.Downsample = []history.Method{history.Chosen, history.LTTB, history.MinMax}[r.random.IntN(3)]
	raw := r.model.answer(history.Query{From: q.From, To: q.To})
	got := r.instances[r.random.IntN(2)].Answer(t, q)
	switch got.Planned.Method {
	case history.Raw:
		require.Equal(t, raw, got.Rows)
	case history.MinMax:
		require.Equal(t, r.model.answer(got.Query), got.Rows)
	default:
		require.Len(t, got.Rows, len(raw))
		for series, rows := range raw {
			require.Equal(t, plainLTTB(rows, q.MaxPoints), got.Rows[series])
		}
	}
	for _, rows := range got.Rows {
		require.LessOrEqual(t, len(rows), q.MaxPoints)
	}
}

// checkPages reads the same answer in up to ten pages or so.
func (r *modelRun) checkPages(t *testing.T, q history.Query) {
	t.Helper()
	want := r.model.answer(q)
	total := 0
	for _, rows := range want {
		total += len(rows)
	}
	whole := &collected{Rows: map[string][][]float64{}}
	for q.Limit = 1 + total/(1+r.random.IntN(10)); ; {
		page := r.instances[0].Answer(t, q)
		n := 0
		for series, rows := range page.Rows {
			whole.Rows[series] = append(whole.Rows[series], rows...)
			n += len(rows)
		}
		require.LessOrEqual(t, n, q.Limit)
		if page.Next == nil {
			break
		}
		require.Equal(t, q.Limit, n)
		paged, err := history.ParseQuery(url.Values{"cursor": {page.Next.String()}}, time.Now())
		require.NoError(t, err)
		q.After = paged.After
	}
	require.Equal(t, known(want), known(whole.Rows))
}

func (r *modelRun) checkLatest(t *testing.T) {
	t.Helper()
	want := map[string][]float64{}
	horizon := r.clock.Add(series.AheadGrace).UnixMilli()
	for series, points := range r.model.series {
		present := slices.DeleteFunc(slices.Collect(maps.Keys(points)), func(ts int64) bool { return ts > horizon })
		if len(present) > 0 {
			newest := slices.Max(present)
			want[series] = []float64{float64(newest), points[newest]}
		}
		r.forecasts += len(points) - len(present)
	}
	for _, e := range r.instances {
		require.NoError(t, e.Tail.Reach(t.Context()))
		require.NoError(t, e.Forecasts.Settle(t.Context()))
		states, err := e.Queries.Latest(t.Context(), everyone, history.Selection{})
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
		r.setClockInSQL(t, tx)
		rows, err := tx.Query(t.Context(), `SELECT device || '/' || metric, ts, value FROM readings($1, NULL, $2, $3) ORDER BY 1, 2`,
			wanted, chunk.UTC(from), chunk.UTC(to))
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
	want := r.model.answer(history.Query{From: from, To: to})
	maps.DeleteFunc(want, func(series string, _ [][]float64) bool {
		return wanted != nil && !slices.Contains(wanted, deviceOf(series))
	})
	require.Equal(t, want, got)
}

// checkSQLBuckets asks the database for what a query with an interval asks.
func (r *modelRun) checkSQLBuckets(t *testing.T, q history.Query) {
	t.Helper()
	if q.Interval == nil {
		return
	}
	q.Fill, q.Aggregates = history.NoFill, aggregates
	since, until := chunk.UTC(q.From), chunk.UTC(q.To)
	var got map[string][][]float64
	require.NoError(t, r.db.InTx(t.Context(), pgx.TxOptions{}, func(tx pgx.Tx) error {
		r.setClockInSQL(t, tx)
		got = bucketsInSQL(t, tx, nil, &since, &until, sqlWidths[q.Interval.String()], q.Zone.String())
		return nil
	}))
	requireBuckets(t, r.model.answer(q), got, q.Interval.String()+" in "+q.Zone.String())
}

// setClockInSQL gives the functions for SQL users the run's clock in place of the server's.
func (r *modelRun) setClockInSQL(t *testing.T, tx pgx.Tx) {
	t.Helper()
	if r.functions == nil {
		rows, err := tx.Query(t.Context(), `SELECT pg_get_functiondef('selected_series'::regproc)`)
		require.NoError(t, err)
		r.functions, err = pgx.CollectRows(rows, pgx.RowTo[string])
		require.NoError(t, err)
	}
	clock := fmt.Sprintf("'%s'::timestamptz", r.clock.Format(time.RFC3339Nano))
	for _, function := range r.functions {
		require.Contains(t, function, "pg_catalog.now()")
		_, err := tx.Exec(t.Context(), strings.ReplaceAll(function, "pg_catalog.now()", clock))
		require.NoError(t, err)
	}
}

// checkTables folds the rest, and looks whether every day that is over and kept has the statistics of its readings, and
// chunks are as few as they should be.
func (r *modelRun) checkTables(t *testing.T) {
	t.Helper()
	r.instances[0].FoldAll(t)
	const kept = `series_id IN (SELECT s.id FROM series AS s JOIN devices AS d ON d.id = s.device_id, log_state
		WHERE start_at >= coalesce($1::timestamptz - nullif(coalesce(d.retention_days, log_state.retention_days), 0) * interval '24 hours', '-infinity'))`
	for statement, reason := range map[string]string{
		`SELECT count(*) FROM reading_chunks a JOIN reading_chunks b USING (series_id)
			WHERE a.start_at < b.start_at AND b.start_at < a.start_at + a.hours * interval '1 hour' AND $1::timestamptz IS NOT NULL`: "chunks overlap",
		`SELECT count(*) FROM reading_chunks WHERE $1::timestamptz IS NOT NULL
			AND (count <> (SELECT count(*) FROM chunk_readings(start_at, data, NULL, NULL)) OR hours = 1 AND start_at <> date_trunc('hour', start_at))`: "a chunk is odd",
		`SELECT count(*) FROM (
			SELECT series_id, date_trunc('day', start_at AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' AS start_at, sum(count) AS count,
				min(min) AS min, max(max) AS max, sum(sum + sum_rest) AS sum
			FROM reading_chunks, log_state WHERE hours <= 24 AND start_at < closed_until GROUP BY 1, 2
		) AS c FULL JOIN reading_days AS d USING (series_id, start_at)
		WHERE ` + kept + ` AND ((c.count, c.min, c.max) IS DISTINCT FROM (d.count, d.min, d.max) OR abs(c.sum - d.sum) > 1e-9 * (1 + abs(d.sum)))`: "the statistics of a day are not those of its chunks",
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
