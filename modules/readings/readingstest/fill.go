package readingstest

import (
	"context"
	"testing"

	"telltale/platform/postgres"

	"github.com/stretchr/testify/require"
)

// FillStart is the instant before the readings of FillLog's first batch; each batch is ten seconds after the one before.
const FillStart = 1_500_000_000_000

// insertUnfolded fills the log as appends would, in one statement.
const insertUnfolded = `
INSERT INTO reading_log (seq, committed_at, count, min_ts, max_ts, series, ts, value)
SELECT seq, now() - interval '1 hour' + seq * interval '1 ms', $2, $4 + seq * 10000, $4 + seq * 10000, ids.list,
	array_fill($4 + seq * 10000, ARRAY[$2::int]),
	(SELECT array_agg(20 + (k + seq) % 100 / 10.0) FROM generate_series(1, $2::int) AS k)
FROM (SELECT array_agg(1 + k % $3::int) AS list FROM generate_series(0, $2::int - 1) AS k) AS ids,
	generate_series(1, $1::bigint) AS seq`

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
	_, err = db.Exec(ctx, insertUnfolded, batches, size, series, int64(FillStart))
	require.NoError(t, err)
}
