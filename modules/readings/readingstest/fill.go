package readingstest

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"telltale/modules/readings/batchlog"
	"telltale/platform/postgres"
)

// FillStart is the instant before the readings of FillLog's first batch; each batch is ten seconds after the one before.
const FillStart = 1_500_000_000_000

// logColumns are those of a batch with readings.
var logColumns = []string{"seq", "committed_at", "count", "min_ts", "max_ts", "series", "data"}

// FillLog makes series and a log that holds batches of a number of readings each, none of them folded.
func FillLog(t testing.TB, db *postgres.DB, series, batches, size int) {
	t.Helper()
	ctx := context.Background()
	for _, statement := range []string{
		`CREATE TABLE reading_log_wide (LIKE reading_log INCLUDING ALL)`,
		`ALTER TABLE reading_log ATTACH PARTITION reading_log_wide FOR VALUES FROM (1025) TO (4194304)`,
		`INSERT INTO devices (id) VALUES ('a')`,
	} {
		_, err := db.Exec(ctx, statement)
		require.NoError(t, err)
	}
	_, err := db.Exec(ctx, `INSERT INTO series (device_id, metric) SELECT 'a', 'm' || k FROM generate_series(1, $1::int) AS k`, series)
	require.NoError(t, err)
	began := time.Now().Add(-time.Hour)
	b := batchlog.Batch{Series: make([]int32, size), TS: make([]int64, size), Value: make([]float64, size)}
	rows := pgx.CopyFromSlice(batches, func(i int) ([]any, error) {
		at := FillStart + int64(i+1)*10_000
		for k := range size {
			b.Series[k], b.TS[k], b.Value[k] = int32(1+k%series), at, 20+float64((k+i+2)%100)/10
		}
		ids, data := batchlog.Encode(&b)
		return []any{int64(i + 1), began.Add(time.Duration(i) * time.Millisecond), int32(size), at, at, ids, data}, nil
	})
	require.NoError(t, db.InTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		_, err := tx.CopyFrom(ctx, pgx.Identifier{"reading_log"}, logColumns, rows)
		return err
	}))
}
