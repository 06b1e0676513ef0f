package readings_test

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"telltale/modules/readings"
	"telltale/modules/readings/bucket"
	"telltale/modules/readings/chunk"
	"telltale/modules/readings/history"
	"telltale/modules/readings/render"
	"telltale/modules/series"
	"telltale/platform/postgres/pgtest"
)

// fillYears stores a reading an hour of each device from one month to another as chunks of months, as closing would leave them.
func fillYears(t testing.TB, e *engine, devices int, from, until time.Time) {
	t.Helper()
	names := make([]series.Name, devices)
	for i := range names {
		names[i] = series.Name{Device: fmt.Sprintf("device-%03d", i), Metric: "m"}
	}
	_, err := e.Registry.Register(t.Context(), names, true)
	require.NoError(t, err)
	random := rand.New(rand.NewPCG(1, 1))
	months := 0
	for first := from; first.Before(until); first = first.AddDate(0, 1, 0) {
		next := first.AddDate(0, 1, 0)
		var rows [][]any
		for i, name := range names {
			id, _ := e.Registry.Find(name.Device, name.Metric)
			var p chunk.Points
			for at := first.UnixMilli(); at < next.UnixMilli(); at += chunk.Hour {
				phase := 2 * math.Pi * float64(at%chunk.Day) / float64(chunk.Day)
				p.TS = append(p.TS, at)
				p.Value = append(p.Value, math.Round(10*(20+float64(i%7)+5*math.Sin(phase)+random.NormFloat64()*0.3))/10)
			}
			var s chunk.Statistics
			s.Add(p.Value)
			rows = append(rows, []any{
				id, first, int16(next.Sub(first) / time.Hour), int32(s.Count), s.Min, s.Max, s.Sum.High, s.Sum.Low, s.First, s.Last, chunk.Encode(first.UnixMilli(), p),
			})
		}
		require.NoError(t, e.DB.InTx(t.Context(), pgx.TxOptions{}, func(tx pgx.Tx) error {
			_, err := tx.Exec(t.Context(), fmt.Sprintf(`CREATE TABLE IF NOT EXISTS %s PARTITION OF reading_chunks FOR VALUES FROM ('%s') TO ('%s')`,
				first.Format("reading_chunks_2006_01"), first.Format(time.RFC3339), next.Format(time.RFC3339)))
			require.NoError(t, err)
			_, err = tx.CopyFrom(t.Context(), pgx.Identifier{"reading_chunks"}, chunkColumns, pgx.CopyFromRows(rows))
			return err
		}))
		months++
	}
	_, err = e.DB.Exec(t.Context(), `UPDATE log_state SET closed_until = $1, months = months + $2`, until, months)
	require.NoError(t, err)
}

var chunkColumns = []string{"series_id", "start_at", "hours", "count", "min", "max", "sum", "sum_rest", "first", "last", "data"}

// BenchmarkYears reads twelve years of hourly readings of 100 series: 10.5 million.
func BenchmarkYears(b *testing.B) {
	cfg := pgtest.Config(b)
	cfg.MinConnections = 1
	db := pgtest.Open(b, cfg)
	e := startEngine(b, db)
	until := chunk.UTC(benchStart)
	from := until.AddDate(-12, 0, 0)
	fillYears(b, e, 100, from, until)
	e.SetNow(func() time.Time { return until.Add(2 * time.Hour) })
	require.NoError(b, e.Runner.Maintain(b.Context()))
	_, err := db.Exec(b.Context(), `VACUUM ANALYZE`)
	require.NoError(b, err)
	var partitions int
	require.NoError(b, db.QueryRow(b.Context(), `SELECT count(*) FROM pg_inherits WHERE inhparent = 'reading_chunks'::regclass`).Scan(&partitions))
	b.Logf("%d partitions, %d bytes", partitions, diskOf(b, db))

	all := history.Query{From: from.UnixMilli(), To: until.UnixMilli() + chunk.Hour, Zone: time.UTC}
	with := func(change func(*history.Query)) history.Query { q := all; change(&q); return q }
	buckets := func(text string, agg ...bucket.Aggregate) func(*history.Query) {
		interval, err := bucket.ParseInterval(text)
		require.NoError(b, err)
		return func(q *history.Query) { q.Interval, q.Aggregates = &interval, agg }
	}
	one := func(q *history.Query) { q.Devices = []string{"device-042"} }
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(b, err)
	queries := []struct {
		name  string
		query history.Query
	}{
		{"one series, chart", with(func(q *history.Query) { one(q); q.MaxPoints = 1000 })},
		{"one series, by month", with(func(q *history.Query) { one(q); buckets("1mo", bucket.Avg)(q) })},
		{"one series, raw", with(one)},
		{"one series, last day", with(func(q *history.Query) { one(q); q.From = q.To - chunk.Day })},
		{"100 series, by month", with(buckets("1mo", bucket.Avg))},
		{"100 series, by month in Berlin", with(func(q *history.Query) { buckets("1mo", bucket.Avg)(q); q.Zone = berlin })},
		{"100 series, by day", with(buckets("1d", bucket.Avg))},
		{"100 series, a year", with(func(q *history.Query) { q.From = q.To - 360*chunk.Day })}, // 864,000 points
	}
	for _, c := range queries {
		b.Run("first/"+c.name, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				fresh := history.New(pgtest.Open(b, cfg), e.Tail, e.Window, e.Registry, e.Retention, e.Limits)
				b.StartTimer()
				a, release := readings.Rendered(render.JSON, io.Discard)
				require.NoError(b, fresh.History(context.Background(), everyone, c.query, a))
				release()
			}
		})
	}
	for _, c := range queries {
		b.Run("later/"+c.name, func(b *testing.B) {
			for b.Loop() {
				require.NoError(b, e.render(context.Background(), everyone, c.query, render.JSON, io.Discard))
			}
		})
	}
}
