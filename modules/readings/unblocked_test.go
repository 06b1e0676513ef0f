package readings_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"telltale/modules/readings/history"
	"telltale/platform/postgres/pgtest"
)

func TestFold_ThatWaitsDoesNotKeepReadingsFromBeingStored(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	e := startEngine(t, db)
	e.Post(t, `{"readings":[{"device":"a","ts":1,"values":{"m":1}}]}`)
	folded := make(chan error, 1)
	withoutChunks(t, db, func() {
		go func() { folded <- e.Runner.Fold(t.Context()) }()
		awaitWaiting(t, db, 1)
		for i := range 10 {
			e.Post(t, `{"readings":[{"device":"a","ts":%d,"values":{"m":1}}]}`, 2+i)
		}
		require.Empty(t, folded)
	})
	require.NoError(t, <-folded)
	require.Len(t, e.Answer(t, history.Query{}).Rows["a/m"], 11)
}

// A client of the database that reads everything in a long transaction keeps blocks and months from being dropped. They
// wait for it no longer than a moment, since every append has to wait behind them.
func TestFold_BesideALongTransactionKeepsTheDiskButNotIngest(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	narrowBlocks(t, db)
	e := startEngine(t, db)
	for i := range 3 {
		e.Post(t, `{"readings":[{"device":"a","ts":%d,"values":{"m":1}}]}`, i)
	}
	e.FoldAll(t)
	require.NoError(t, db.InTx(t.Context(), pgx.TxOptions{}, func(tx pgx.Tx) error {
		var count int
		require.NoError(t, tx.QueryRow(t.Context(), `SELECT count(*) FROM readings(NULL, NULL, NULL, NULL)`).Scan(&count))
		require.Equal(t, 3, count)
		ended := make(chan error)
		go func() {
			for range 3 {
				_, err := e.Log.DropBlocks(t.Context(), time.Now().Add(time.Hour))
				ended <- err
			}
			close(ended)
		}()
		for i := 0; ; i++ {
			e.Post(t, `{"readings":[{"device":"a","ts":%d,"values":{"m":1}}]}`, 10+i)
			select {
			case err, more := <-ended:
				if !more {
					return nil
				}
				require.ErrorContains(t, err, "lock timeout")
			default:
			}
		}
	}))
	dropped, err := e.Log.DropBlocks(t.Context(), time.Now().Add(time.Hour))
	require.NoError(t, err)
	require.Equal(t, 1, dropped)
}
