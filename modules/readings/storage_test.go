package readings_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"telltale/modules/readings/chunk"
	"telltale/modules/series"
	"telltale/platform/postgres"
)

// regularity is a fleet whose series have a reading each step (ms), as a gateway delivers them: all of them together, each
// commit ms, for a number of days of a month. It is folded every few hours.
type regularity struct {
	name   string
	series int
	step   int64
	commit int64
	days   int
	fold   int
}

// BenchmarkStorage writes regular readings with one decimal as they come, folds every hour after a checkpoint and closes
// days and months, and reports what a reading takes on disk, indexes included, and what it has cost in the write-ahead log:
// for the log of batches, for folds, and for closing days and months; beside it, a row of a plain table with primary key.
func BenchmarkStorage(b *testing.B) {
	for _, r := range []regularity{
		{"fast, 10 a second", 2, 100, 10_000, 1, 1},
		{"ordinary, one per 10 s", 100, 10_000, 10_000, 1, 1},
		{"a minute apart", 100, chunk.Minute, chunk.Minute, 3, 1},
		{"slow, one per 15 min", 200, 15 * chunk.Minute, 15 * chunk.Minute, 31, 1},
		{"slow, folded every 24 hours", 200, 15 * chunk.Minute, 15 * chunk.Minute, 31, 24},
		{"very slow, one per day", 200, chunk.Day, chunk.Day, 31, 1},
	} {
		b.Run(r.name, func(b *testing.B) {
			for b.Loop() {
				db := alone(b)
				readings, wal := r.liveThrough(b, db)
				b.ReportMetric(float64(diskOf(b, db)+sizeOf(b, db, "reading_days"))/readings, "bytes/reading")
				b.ReportMetric(wal.total()/readings, "WAL-bytes/reading")
				b.ReportMetric(wal.log/readings, "log-WAL")
				b.ReportMetric(wal.fold/readings, "fold-WAL")
				b.ReportMetric(wal.pack/readings, "days-WAL")
				b.ReportMetric(wal.rows/readings, "rows-WAL")
				b.ReportMetric(wal.total()/wal.rows, "x-rows-WAL")
				b.ReportMetric(0, "ns/op")
			}
		})
	}
}

func sizeOf(t testing.TB, db *postgres.DB, table string) (size int64) {
	t.Helper()
	require.NoError(t, db.QueryRow(t.Context(), `SELECT pg_total_relation_size($1::text::regclass)`, table).Scan(&size))
	return size
}

// liveThrough lets the days pass by, and the rest of their month, and returns how many readings there were and what they
// cost.
func (r regularity) liveThrough(t testing.TB, db *postgres.DB) (readings float64, wal walUse) {
	t.Helper()
	ctx := context.Background()
	start := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	_, err := db.Exec(ctx, setClosed, start)
	require.NoError(t, err)
	e := startEngine(t, db)
	now := start
	e.SetNow(func() time.Time { return now })
	var names []series.Name
	for i := range r.series {
		names = append(names, series.Name{Device: fmt.Sprintf("device-%03d", i), Metric: "temperature"})
	}
	_, err = e.Registry.Register(ctx, names, true)
	require.NoError(t, err)
	_, err = db.Exec(ctx, `CREATE TABLE plain (series integer, ts timestamptz, value float8, PRIMARY KEY (series, ts))`)
	require.NoError(t, err)
	random := rand.New(rand.NewPCG(1, 1))
	meter := walMeter{db: db}
	checkpoint := func() {
		_, err := db.Exec(ctx, `CHECKPOINT`)
		require.NoError(t, err)
		meter.lap(t)
	}
	checkpoint()
	for h := range r.days*24 + 2 {
		if end := start.AddDate(0, 0, r.days); now.Before(end) {
			for from := now.UnixMilli(); from < now.UnixMilli()+chunk.Hour; from += min(r.commit, chunk.Hour) {
				series, ts, value := e.batch(from, from+min(r.commit, chunk.Hour), r.step, names, random)
				if len(ts) == 0 {
					continue
				}
				readings += float64(len(ts))
				meter.lap(t)
				_, err := e.Appender.Append(ctx, series, ts, value)
				require.NoError(t, err)
				wal.log += meter.lap(t)
				_, err = db.Exec(ctx, insertPlain, series, ts, value)
				require.NoError(t, err)
				wal.rows += meter.lap(t)
			}
		}
		now = now.Add(time.Hour)
		if h%r.fold > 0 { // folds of a day are at one in the morning
			continue
		}
		checkpoint()
		require.NoError(t, e.Runner.CloseDays(ctx))
		wal.pack += meter.lap(t)
		e.FoldAll(t)
		wal.fold += meter.lap(t)
		if h%24 == 0 { // as autovacuum would, which knows no simulated days
			_, err := db.Exec(ctx, `VACUUM reading_chunks, reading_days, series`)
			require.NoError(t, err)
			wal.pack += meter.lap(t)
		}
	}
	now = start.AddDate(0, 1, 1)
	checkpoint()
	require.NoError(t, e.Runner.CloseDays(ctx))
	now = now.Add(time.Hour)
	require.NoError(t, e.Runner.Maintain(ctx))
	wal.pack += meter.lap(t)
	require.NoError(t, db.WithConn(ctx, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, `VACUUM (FULL) reading_days`)
		return err
	}))
	_, err = db.Exec(ctx, `VACUUM ANALYZE`)
	require.NoError(t, err)
	return readings, wal
}

const insertPlain = `
INSERT INTO plain SELECT series, to_timestamp(ts / 1000.0), value FROM unnest($1::int[], $2::bigint[], $3::float8[]) AS r (series, ts, value)`

// batch returns the readings of every series within a time.
func (e *engine) batch(from, to, step int64, names []series.Name, random *rand.Rand) (series []int32, ts []int64, value []float64) {
	for at := chunk.Floor(from+step-1, step); at < to; at += step {
		for i, name := range names {
			id, _ := e.Registry.Find(name.Device, name.Metric)
			phase := 2 * math.Pi * float64(at%chunk.Day) / float64(chunk.Day)
			v := math.Round(10*(20+float64(i%7)+5*math.Sin(phase)+random.NormFloat64()*0.3)) / 10
			series, ts, value = append(series, id), append(ts, at), append(value, v)
		}
	}
	return series, ts, value
}
