package readings

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/config"
	"telltale/platform/postgres/pgtest"
)

// BenchmarkBackfill posts three years of 20 series, a reading each ten minutes (3.2 million), in wholly random order, in
// batches of 10,000, and folds as often as the program does by default. It reports how many readings that takes in a
// second, folds included, and what a reading costs in the write-ahead log.
func BenchmarkBackfill(b *testing.B) {
	for b.Loop() {
		db := pgtest.New(b)
		e := startEngine(b, db, func(limits *config.Readings) { limits.MaxUnfoldedReadings = 1 << 30 })
		const foldReadings = 2_000_000 // the default of FOLD_READINGS
		fill := newBackfill(b, e, 20, 10*time.Minute,
			time.Date(2023, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
		readings, began, before := len(fill.order), time.Now(), walOf(b, db)
		for more := true; more; {
			more = fill.post(b, 10_000, 0)
			if e.window.Stats().Unfolded >= foldReadings {
				e.fold(b)
			}
		}
		e.fold(b)
		took, wal := time.Since(began), walOf(b, db)-before
		require.Empty(b, fill.order)
		b.ReportMetric(float64(readings)/took.Seconds(), "readings/s")
		b.ReportMetric(float64(wal)/float64(readings), "WAL-bytes/reading")
		b.ReportMetric(float64(diskOf(b, db))/float64(readings), "bytes/reading")
		b.ReportMetric(0, "ns/op")
	}
}
