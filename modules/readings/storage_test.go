package readings

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"telltale/modules/devices"
	"telltale/platform/postgres"
	"telltale/platform/postgres/pgtest"
)

// BenchmarkStorage writes regular readings with one decimal as they come, folds every hour and closes days and months, and
// reports what a reading takes on disk, indexes included, and what it has cost in the write-ahead log, the resume log
// included.
func BenchmarkStorage(b *testing.B) {
	for _, c := range []struct {
		name   string
		series int
		step   int64
		days   int
	}{
		{"fast, 10 a second", 2, 100, 1},
		{"ordinary, one per 10 s", 100, 10_000, 1},
		{"a minute apart", 100, minute, 3},
		{"slow, one per 15 min", 200, 15 * minute, 31},
		{"very slow, one per day", 200, day, 31},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				db := pgtest.New(b)
				readings, wal := liveThrough(b, db, c.series, c.step, c.days)
				b.ReportMetric(float64(diskOf(b, db)+sizeOf(b, db, "reading_days"))/readings, "bytes/reading")
				b.ReportMetric(float64(wal)/readings, "WAL-bytes/reading")
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

// liveThrough lets so many days of a month pass by, with an hour's readings of every series in a batch, and returns how many
// readings there were and how many bytes of write-ahead log they took.
func liveThrough(b *testing.B, db *postgres.DB, series int, step int64, days int) (readings float64, wal int64) {
	b.Helper()
	ctx := context.Background()
	start := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	_, err := db.Exec(ctx, updateClosed, start)
	require.NoError(b, err)
	e := startEngine(b, db)
	now := start
	e.folder.now = func() time.Time { return now }
	var names []devices.Name
	for i := range series {
		names = append(names, devices.Name{Device: fmt.Sprintf("device-%03d", i), Metric: "temperature"})
	}
	_, err = e.registry.Register(ctx, names, true)
	require.NoError(b, err)
	random := rand.New(rand.NewPCG(1, 1))
	var before, after int64
	const selectWAL = `SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint`
	require.NoError(b, db.QueryRow(ctx, selectWAL).Scan(&before))
	for range days*24 + 2 {
		if end := start.AddDate(0, 0, days); now.Before(end) {
			readings += float64(e.hour(b, now.UnixMilli(), step, names, random))
		}
		now = now.Add(time.Hour)
		e.fold(b)
		require.NoError(b, e.folder.closeDays(ctx))
	}
	now = start.AddDate(0, 1, 1)
	require.NoError(b, e.folder.closeDays(ctx))
	require.NoError(b, e.folder.enforceRetention(ctx))
	require.NoError(b, db.QueryRow(ctx, selectWAL).Scan(&after))
	require.NoError(b, db.WithConn(ctx, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, `VACUUM (FULL) reading_days`)
		return err
	}))
	_, err = db.Exec(ctx, `VACUUM ANALYZE`)
	require.NoError(b, err)
	return readings, after - before
}

// hour appends an hour's readings of every series.
func (e *engine) hour(b *testing.B, from, step int64, names []devices.Name, random *rand.Rand) int {
	b.Helper()
	var series []int32
	var ts []int64
	var value []float64
	for at := floorTo(from+step-1, step); at < from+hour; at += step {
		for i, name := range names {
			id, _ := e.registry.Find(name.Device, name.Metric)
			phase := 2 * math.Pi * float64(at%day) / float64(day)
			v := math.Round(10*(20+float64(i%7)+5*math.Sin(phase)+random.NormFloat64()*0.3)) / 10
			series, ts, value = append(series, id), append(ts, at), append(value, v)
		}
	}
	if len(ts) > 0 {
		_, err := e.appender.Append(context.Background(), series, ts, value)
		require.NoError(b, err)
	}
	return len(ts)
}
