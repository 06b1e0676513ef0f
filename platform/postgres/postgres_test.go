package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zaptest"

	"telltale/config"
	"telltale/platform/fault"
	"telltale/platform/postgres"
	"telltale/platform/postgres/pgtest"
)

func poolOf(t testing.TB, db *postgres.DB) map[string]any {
	detail, err := db.Probe().Check()
	require.NoError(t, err)
	return detail["pool"].(map[string]any)
}

// openWarm returns a database whose minimum of connections is open, however long that takes.
func openWarm(t testing.TB, cfg config.DB) *postgres.DB {
	db := postgres.New(cfg, "", pgtest.Sample(), zaptest.NewLogger(t))
	db.WaitForMinimum(patience)
	require.NoError(t, db.Start(context.Background()))
	t.Cleanup(func() { stop(t, db) })
	awaitReady(t, db)
	return db
}

func TestDB_ThePoolIsWarmedToItsMinimumAndNeverExceedsItsMaximum(t *testing.T) {
	t.Parallel()
	cfg := pgtest.Config(t)
	cfg.MinConnections, cfg.MaxConnections = 3, 4
	db := openWarm(t, cfg)
	require.EqualValues(t, 3, poolOf(t, db)["total"])
	require.EqualValues(t, 4, poolOf(t, db)["max"])

	free := hold(t, db, 4)
	require.EqualValues(t, 4, poolOf(t, db)["acquired"])
	require.EqualValues(t, 4, poolOf(t, db)["total"])
	free()
}

func TestDB_WaitingForAFreeConnectionEndsAtTheConnectionTimeout(t *testing.T) {
	t.Parallel()
	cfg := pgtest.Config(t)
	cfg.MinConnections, cfg.MaxConnections, cfg.ConnectionTimeout = 1, 1, time.Second
	db := openWarm(t, cfg) // to open a connection may take longer than that
	free := hold(t, db, 1)
	began := time.Now()
	_, err := db.Exec(context.Background(), "SELECT 1")
	require.Equal(t, fault.Unavailable, fault.KindOf(err), "%v", err)
	require.Positive(t, fault.As(err).RetryAfter)
	require.GreaterOrEqual(t, time.Since(began), cfg.ConnectionTimeout)

	free()
	_, err = db.Exec(context.Background(), "SELECT 1")
	require.NoError(t, err)
}

func TestDB_ACallerWhoGivesUpIsNotToldThatTheDatabaseIsAway(t *testing.T) {
	t.Parallel()
	cfg := pgtest.Config(t)
	cfg.MaxConnections = 1
	db := pgtest.Open(t, cfg)
	defer hold(t, db, 1)()
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	_, err := db.Exec(ctx, "SELECT 1")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Nil(t, fault.As(err))
}

func TestDB_ABusyPoolIsNotALostDatabase(t *testing.T) {
	t.Parallel()
	cfg := pgtest.Config(t)
	cfg.MaxConnections = 2
	db := pgtest.Open(t, cfg)
	defer hold(t, db, 2)()
	require.NoError(t, db.Ping(context.Background()))
	poolOf(t, db)
}

func TestDB_IdleConnectionsAboveTheMinimumAreClosed(t *testing.T) {
	t.Parallel()
	cfg := pgtest.Config(t)
	cfg.MinConnections, cfg.MaxConnections, cfg.IdleTimeout = 1, 5, 500*time.Millisecond
	db := pgtest.Open(t, cfg)
	hold(t, db, 5)()
	require.Eventually(t, func() bool { return poolOf(t, db)["total"] == int32(1) }, patience, 50*time.Millisecond)
}

func TestDB_RefusesStatementsOnceStoppedAndMayBeStoppedAgain(t *testing.T) {
	t.Parallel()
	db, log := open(t, pgtest.Config(t))
	awaitReady(t, db)
	stop(t, db)
	stop(t, db)
	_, err := db.Exec(context.Background(), "SELECT 1")
	require.Equal(t, fault.Unavailable, fault.KindOf(err))
	require.Equal(t, fault.Unavailable, fault.KindOf(db.QueryRow(context.Background(), "SELECT 1").Scan()))
	require.Equal(t, fault.Unavailable, fault.KindOf(db.SendBatch(context.Background(), &pgx.Batch{}).Close()))
	_, err = db.Probe().Check()
	require.ErrorContains(t, err, "closed")
	require.Equal(t, 1, log.count("database connections closed"))
}

func TestDB_StoppingDoesNotWaitForeverForAConnectionInUse(t *testing.T) {
	t.Parallel()
	db, _ := open(t, pgtest.Config(t))
	awaitReady(t, db)
	free := hold(t, db, 1)
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	require.ErrorContains(t, db.Stop(ctx), "1 connections are still in use")
	free()
}

func TestDB_StartingAndStoppingRepeatedlyLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	cfg := pgtest.Config(t)
	for range 5 {
		db, _ := open(t, cfg)
		listener := postgres.NewListener(db, "bell", func(string) {})
		require.NoError(t, listener.Start(context.Background()))
		require.NoError(t, listener.Stop(context.Background()))
		stop(t, db)
	}
}

// hold takes n connections and returns what gives them back.
func hold(t testing.TB, db *postgres.DB, n int) (free func()) {
	release := make(chan struct{})
	held, ended := make(chan struct{}, n), make(chan error, n)
	for range n {
		go func() {
			ended <- db.WithConn(context.Background(), func(*pgx.Conn) error {
				held <- struct{}{}
				<-release
				return nil
			})
		}()
	}
	for range n {
		select {
		case <-held:
		case err := <-ended:
			require.NoError(t, err)
		}
	}
	return func() {
		close(release)
		for range n {
			require.NoError(t, <-ended)
		}
	}
}
