package readings_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"telltale/modules/readings/batchlog"
	"telltale/modules/readings/readingstest"
	"telltale/modules/series"
	"telltale/platform/postgres/pgtest"
)

// The size of the log that BenchmarkLoading reads: batches as full ingest makes them, of four million readings.
const (
	loadingSeries  = 2000
	loadingBatches = 2000
	loadingSize    = 2000 // readings of a batch
)

// BenchmarkLoading measures what a start waits for after a crash: every reading that no chunk holds yet.
func BenchmarkLoading(b *testing.B) {
	db := pgtest.New(b)
	readingstest.FillLog(b, db, loadingSeries, loadingBatches, loadingSize)
	_, err := db.Exec(context.Background(), `VACUUM ANALYZE reading_log`)
	require.NoError(b, err)
	for b.Loop() {
		registry, window := series.NewRegistry(db), batchlog.NewWindow(64<<20)
		tail := batchlog.NewTail(db, batchlog.NewLog(db), window, registry, zap.NewNop())
		require.NoError(b, tail.Start(context.Background()))
		<-tail.Loaded()
		require.NoError(b, tail.Stop(context.Background()))
		require.Equal(b, loadingBatches*loadingSize, window.Stats().Unfolded)
	}
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)/loadingBatches/loadingSize*1e6, "s/1M_readings")
}
