package readings_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/config"
	"telltale/platform/postgres/pgtest"
)

// BenchmarkBackfill posts three years of 20 series, a reading each ten minutes (3.2 million), in wholly random order, in
// batches of 10,000, and folds after the given number of readings. It reports how many readings that takes in a second, folds included,
// and what a reading costs in the write-ahead log and on disk, before and after the months have been written again.
func BenchmarkBackfill(b *testing.B) {
	for _, foldReadings := range []int{2_000_000 /* the default of FOLD_READINGS */, 200_000} {
		b.Run(fmt.Sprint("fold=", foldReadings), func(b *testing.B) {
			for b.Loop() {
				benchmarkBackfill(b, foldReadings)
			}
		})
	}
}

func benchmarkBackfill(b *testing.B, foldReadings int) {
	db := pgtest.New(b)
	e := startEngine(b, db, func(limits *config.Readings) { limits.MaxUnfoldedReadings = 1 << 30 })
	now := time.Now()
	e.SetNow(func() time.Time { return now })
	fill := newBackfill(b, e, 20, 10*time.Minute,
		time.Date(2023, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	readings, began, before := float64(len(fill.order)), time.Now(), walOf(b, db)
	for more := true; more; {
		more = fill.post(b, 10_000, 0)
		if e.Window.Stats().Unfolded >= foldReadings {
			e.FoldAll(b)
			require.NoError(b, e.Runner.Maintain(b.Context()))
		}
	}
	e.FoldAll(b)
	require.Empty(b, fill.order)
	took, wal, disk := time.Since(began), walOf(b, db), diskOf(b, db)
	now = now.Add(time.Hour)
	require.NoError(b, e.Runner.Maintain(b.Context()))
	b.ReportMetric(readings/took.Seconds(), "readings/s")
	b.ReportMetric(float64(wal-before)/readings, "WAL-bytes/reading")
	b.ReportMetric(float64(disk)/readings, "bytes/reading")
	b.ReportMetric(float64(walOf(b, db)-wal)/readings, "rewritten-WAL-bytes/reading")
	b.ReportMetric(float64(diskOf(b, db))/readings, "rewritten-bytes/reading")
	b.ReportMetric(0, "ns/op")
}
