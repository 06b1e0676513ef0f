package readings_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"telltale/modules/readings/history"
	"telltale/platform/postgres"
	"telltale/platform/postgres/pgtest"
)

// awaitWaiting returns when the given number of connections to the database wait for a lock.
func awaitWaiting(t testing.TB, db *postgres.DB, count int) {
	t.Helper()
	require.Eventually(t, func() bool {
		var n int
		require.NoError(t, db.QueryRow(t.Context(), `
			SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&n))
		return n >= count
	}, time.Minute, time.Millisecond)
}

// The index that a deletion finds a device's series by has another order than their ids.
func TestFold_AndADeletionDoNotWaitForEachOther(t *testing.T) {
	t.Parallel()
	cfg := pgtest.Config(t)
	db := pgtest.Open(t, cfg)
	for _, way := range []string{"enable_seqscan", "enable_bitmapscan"} {
		_, err := db.Exec(t.Context(), `ALTER DATABASE `+pgx.Identifier{cfg.Database}.Sanitize()+` SET `+way+` = off`)
		require.NoError(t, err)
	}
	db = pgtest.Open(t, cfg)
	e := startEngine(t, db)
	e.Post(t, `{"readings":[{"device":"a","ts":1,"values":{"z":1}}]}`)
	e.Post(t, `{"readings":[{"device":"a","ts":2,"values":{"a":1,"z":2}},{"device":"b","ts":2,"values":{"m":1}}]}`)

	folded, deleted := make(chan error, 1), make(chan error, 1)
	require.NoError(t, db.InTx(t.Context(), pgx.TxOptions{}, func(tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), `SELECT FROM series WHERE metric = 'z' FOR UPDATE`)
		go func() { folded <- e.Runner.Fold(t.Context()) }()
		awaitWaiting(t, db, 1)
		go func() { deleted <- e.DeleteDevice(t.Context(), "a") }()
		awaitWaiting(t, db, 2)
		return err
	}))
	require.NoError(t, <-folded)
	require.NoError(t, <-deleted)
	e.FoldAll(t)
	require.Equal(t, map[string][][]float64{"b/m": {{2, 1}}}, e.Answer(t, history.Query{}).Rows)
}
