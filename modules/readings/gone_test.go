package readings_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"telltale/config"
	"telltale/modules/auth/authtest"
	"telltale/modules/readings"
	"telltale/platform/httpserver/httpservertest"
	"telltale/platform/postgres"
	"telltale/platform/postgres/pgtest"
)

// withoutChunks runs something while no statement can read chunks: every query of history is slow meanwhile.
func withoutChunks(t *testing.T, db *postgres.DB, run func()) {
	t.Helper()
	require.NoError(t, db.InTx(t.Context(), pgx.TxOptions{}, func(tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), `LOCK TABLE reading_chunks IN ACCESS EXCLUSIVE MODE`)
		require.NoError(t, err)
		run()
		return nil
	}))
}

// waiting counts the statements that read chunks at present.
func waiting(t *testing.T, db *postgres.DB) (n int) {
	t.Helper()
	const query = `SELECT count(*) FROM pg_stat_activity
		WHERE datname = current_database() AND state = 'active' AND query LIKE '%reading_chunks%' AND pid <> pg_backend_pid()`
	require.NoError(t, db.QueryRow(t.Context(), query).Scan(&n))
	return n
}

func TestHistory_EndsWithItsClientInTheDatabaseToo(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	e := startEngine(t, db)
	url := httpservertest.New(t, readings.Routes(e.Service, authtest.As(everyone), 1<<20))
	e.Post(t, `{"readings":[{"device":"a","ts":1,"values":{"m":1}}]}`)
	for _, query := range []string{"", "&max_points=10", "&interval=1h"} {
		withoutChunks(t, db, func() {
			ctx, leave := context.WithCancel(t.Context())
			request, err := http.NewRequestWithContext(ctx, "GET", url+"/api/readings?from=0&to=1000"+query, nil)
			require.NoError(t, err)
			left := make(chan error)
			go func() {
				response, err := http.DefaultClient.Do(request)
				if err == nil {
					_ = response.Body.Close()
				}
				left <- err
			}()
			require.Eventually(t, func() bool { return waiting(t, db) == 1 }, time.Minute, 5*time.Millisecond)
			leave()
			require.ErrorIs(t, <-left, context.Canceled)
			began := time.Now()
			require.Eventually(t, func() bool { return waiting(t, db) == 0 }, time.Minute, 5*time.Millisecond)
			t.Log("gone from the database after", time.Since(began))
		})
	}
}

func TestHistory_HasATimeLimitInTheDatabaseToo(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	e := startEngine(t, db, func(l *config.Readings) { l.QueryTimeout = 300 * time.Millisecond })
	a := &api{e, httpservertest.New(t, readings.Routes(e.Service, authtest.As(everyone), 1<<20))}
	e.Post(t, `{"readings":[{"device":"a","ts":1,"values":{"m":1}}]}`)
	withoutChunks(t, db, func() {
		status, header, answer := a.call(t, "GET", "/api/readings?from=0&to=1000", "", nil)
		require.Equal(t, 503, status)
		require.NotEmpty(t, header.Get("Retry-After"))
		require.Contains(t, answer, "took longer than 300ms")
		require.Eventually(t, func() bool { return waiting(t, db) == 0 }, time.Minute, 5*time.Millisecond)
	})
	e.UseTimeout(time.Minute)
	status, _, _ := a.call(t, "GET", "/api/readings?from=0&to=1000", "", nil)
	require.Equal(t, 200, status)
}

func TestHistory_EndsWithItsClientInTheMiddleOfTheAnswer(t *testing.T) {
	t.Parallel()
	a := startAPI(t, everyone)
	a.fill(t, "a", 400_000, 1000)
	busy := func() (n int) {
		const query = `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
			AND backend_type = 'client backend' AND state <> 'idle' AND pid <> pg_backend_pid()`
		require.NoError(t, a.DB.QueryRow(t.Context(), query).Scan(&n))
		return n
	}
	for _, further := range []string{"", "&limit=390000", "&interval=1s&agg=p95"} {
		ctx, leave := context.WithCancel(t.Context())
		request, err := http.NewRequestWithContext(ctx, "GET", a.url+"/api/readings?format=ndjson&from=0&to=400000000"+further, nil)
		require.NoError(t, err)
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		_, err = response.Body.Read(make([]byte, 1))
		require.NoError(t, err)
		require.Equal(t, 1, a.Limits.Gate.Taken(), "the answer is longer than what buffers take")
		leave()
		_ = response.Body.Close()
		require.Eventually(t, func() bool { return a.Limits.Gate.Taken() == 0 && busy() == 0 }, time.Minute, 5*time.Millisecond)
	}
}
