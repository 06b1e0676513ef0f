package streaming

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"telltale/modules/auth/access"
	"telltale/modules/streaming/livebucket"
	"telltale/modules/streaming/request"
	"telltale/platform/fault"
	"telltale/platform/postgres"
	"telltale/platform/postgres/pgtest"
)

// withoutChunks runs something while no statement can read chunks: every query of history takes as long.
func withoutChunks(t *testing.T, db *postgres.DB, run func()) {
	t.Helper()
	require.NoError(t, db.InTx(t.Context(), pgx.TxOptions{}, func(tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), `LOCK TABLE reading_chunks IN ACCESS EXCLUSIVE MODE`)
		require.NoError(t, err)
		run()
		return nil
	}))
}

// readingChunks waits until the given number of statements read chunks.
func readingChunks(t *testing.T, db *postgres.DB, want int) {
	t.Helper()
	const query = `SELECT count(*) FROM pg_stat_activity
		WHERE datname = current_database() AND state = 'active' AND query LIKE '%reading_chunks%' AND pid <> pg_backend_pid()`
	require.Eventually(t, func() bool {
		var n int
		require.NoError(t, db.QueryRow(t.Context(), query).Scan(&n))
		return n == want
	}, waiting, tick)
}

func TestBucketViewer_QueryEndsWithTheStreamThatAsksIt(t *testing.T) {
	t.Parallel()
	for reason, end := range map[reason]func(*instance, *verdict, *stream){
		clientGone: func(_ *instance, _ *verdict, s *stream) { s.close() },
		tokenRefused: func(i *instance, v *verdict, _ *stream) {
			v.kind.Store(int64(fault.Unauthenticated))
			i.hub.recheck(anybody)
		},
		stopping: func(i *instance, _ *verdict, _ *stream) { i.stop() },
	} {
		t.Run(string(reason), func(t *testing.T) {
			t.Parallel()
			db, opinion, c := pgtest.New(t), &verdict{}, clockAt(t, "2026-11-01T12:00:00Z")
			i := start(t, db, withClock(c), func(o *options) { o.checker = opinion })
			s := open(t, i.url("interval=1m"), "")
			i.post(t, datum{"a", "m", c.ts(0), 1})
			withoutChunks(t, db, func() {
				c.advance(time.Minute)
				readingChunks(t, db, 1)
				end(i, opinion, s)
				require.EqualValues(t, reason, i.ended(t, 1)["reason"])
				readingChunks(t, db, 0)
			})
			require.Zero(t, i.hub.viewers())
		})
	}
}

func TestBucketViewer_ThatWaitsForTheQueryOfOneThatGoesAsksItself(t *testing.T) {
	t.Parallel()
	db, c := pgtest.New(t), clockAt(t, "2026-11-01T12:00:00Z")
	i := start(t, db, withClock(c))
	i.limitBuckets(func(l *livebucket.Limits) { l.Patience = time.Hour })
	gone := open(t, i.url("interval=1m"), "")
	i.post(t, datum{"a", "m", c.ts(0), 1})
	var other *stream
	withoutChunks(t, db, func() {
		c.advance(time.Minute)
		readingChunks(t, db, 1)
		other = open(t, i.url("interval=1m&snapshot=true"), "")
		gone.close()
		require.EqualValues(t, clientGone, i.ended(t, 1)["reason"])
		readingChunks(t, db, 1)
	})
	require.Equal(t, []string{`a 12:00:00 {"m":{"avg":1}}`}, other.buckets(1))
}

func TestBucketViewer_QueryEndsWithTheCredentials(t *testing.T) {
	t.Parallel()
	v := &viewer{settings: settings{request: &request.Request{Principal: access.Principal{Expires: time.Now().Add(10 * time.Millisecond)}}}}
	require.ErrorIs(t, v.attended(t.Context(), func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	}), errEnding)
}
