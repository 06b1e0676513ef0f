package postgres_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"telltale/config"
	"telltale/platform/fault"
	"telltale/platform/postgres"
	"telltale/platform/postgres/pgtest"
)

// brief are settings with which a silent server is given up within a second or two.
func brief(cfg config.DB) config.DB {
	cfg.ConnectionTimeout, cfg.StatementTimeout = time.Second, time.Second
	cfg.MinConnections, cfg.MaxConnections = 1, 2
	return cfg
}

// uses are the ways to use a database. Each calls hush once it has what it needs to wait on a silent server.
var uses = map[string]func(ctx context.Context, db *postgres.DB, hush func()) error{
	"exec": func(ctx context.Context, db *postgres.DB, hush func()) error {
		hush()
		_, err := db.Exec(ctx, "SELECT 1")
		return err
	},
	"query": func(ctx context.Context, db *postgres.DB, hush func()) error {
		hush()
		rows, err := db.Query(ctx, "SELECT 1")
		if err != nil {
			return err
		}
		_, err = pgx.CollectRows(rows, pgx.RowTo[int])
		return err
	},
	"query row": func(ctx context.Context, db *postgres.DB, hush func()) error {
		hush()
		var n int
		return db.QueryRow(ctx, "SELECT 1").Scan(&n)
	},
	"batch": func(ctx context.Context, db *postgres.DB, hush func()) error {
		hush()
		batch := &pgx.Batch{}
		batch.Queue("SELECT 1")
		return db.SendBatch(ctx, batch).Close()
	},
	"begin": func(ctx context.Context, db *postgres.DB, hush func()) error {
		hush()
		return db.InTx(ctx, pgx.TxOptions{}, func(pgx.Tx) error { return nil })
	},
	"exec in a transaction": inTx(func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "SELECT 1")
		return err
	}),
	"query in a transaction": inTx(func(ctx context.Context, tx pgx.Tx) error {
		rows, err := tx.Query(ctx, "SELECT 1")
		if err != nil {
			return err
		}
		_, err = pgx.CollectRows(rows, pgx.RowTo[int])
		return err
	}),
	"row in a transaction": inTx(func(ctx context.Context, tx pgx.Tx) error {
		var n int
		return tx.QueryRow(ctx, "SELECT 1").Scan(&n)
	}),
	"copy in a transaction": inTx(func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.CopyFrom(ctx, pgx.Identifier{"devices"}, []string{"id"}, pgx.CopyFromRows([][]any{{"a"}}))
		return err
	}),
	"batch in a transaction": inTx(func(ctx context.Context, tx pgx.Tx) error {
		batch := &pgx.Batch{}
		batch.Queue("SELECT 1")
		return tx.SendBatch(ctx, batch).Close()
	}),
	"savepoint": inTx(func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Begin(ctx)
		return err
	}),
	"commit": inTx(func(context.Context, pgx.Tx) error { return nil }),
	"rollback": inTx(func(context.Context, pgx.Tx) error {
		return fault.Busy(time.Second, nil, "given up")
	}),
}

func inTx(wait func(context.Context, pgx.Tx) error) func(context.Context, *postgres.DB, func()) error {
	return func(ctx context.Context, db *postgres.DB, hush func()) error {
		return db.InTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, "SELECT 1"); err != nil {
				return err
			}
			hush()
			return wait(ctx, tx)
		})
	}
}

// requireBusy requires that a call ends although its context does not, with a fault that asks to try again.
func requireBusy(t testing.TB, call func() error) {
	t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- call() }()
	select {
	case err := <-ended:
		require.Equal(t, fault.Unavailable, fault.KindOf(err), "%v", err)
		require.Positive(t, fault.As(err).RetryAfter)
	case <-time.After(patience):
		require.FailNow(t, "the call waits without an end")
	}
}

func requireWorks(t testing.TB, db *postgres.DB) {
	t.Helper()
	require.Eventually(t, func() bool {
		_, err := db.Exec(context.Background(), "SELECT 1")
		return err == nil
	}, patience, 50*time.Millisecond)
}

func TestSilence_EndsEveryUseWithinTheLimits(t *testing.T) {
	t.Parallel()
	for name, use := range uses {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wire, cfg := pgtest.OverWire(t, pgtest.Config(t))
			db := pgtest.Open(t, brief(cfg))
			for _, ways := range []pgtest.Way{pgtest.ToServer, pgtest.ToClient, pgtest.BothWays} {
				requireBusy(t, func() error {
					return use(context.Background(), db, func() { wire.Hush(ways) })
				})
				wire.Speak()
				requireWorks(t, db)
			}
		})
	}
}

// More callers than there are connections wait for one that is never given back.
func TestSilence_EndsTheWaitForAConnection(t *testing.T) {
	t.Parallel()
	wire, cfg := pgtest.OverWire(t, pgtest.Config(t))
	cfg = brief(cfg)
	cfg.ConnectionTimeout, cfg.StatementTimeout = time.Hour, time.Hour // it is the supervisor who notices
	db, log := open(t, cfg)
	awaitReady(t, db)
	wire.Hush(pgtest.BothWays)
	ended := make(chan error)
	const callers = 20
	for range callers {
		go func() {
			_, err := db.Exec(context.Background(), "SELECT 1")
			ended <- err
		}()
	}
	log.await("connection lost")
	for range callers {
		select {
		case err := <-ended:
			require.Equal(t, fault.Unavailable, fault.KindOf(err), "%v", err)
		case <-time.After(patience):
			require.FailNow(t, "a caller waits without an end")
		}
	}
	wire.Speak()
	log.await("connection recovered")
	requireWorks(t, db)
}

func TestSilence_DuringAMigrationIsNoticed(t *testing.T) {
	t.Parallel()
	for _, ways := range []pgtest.Way{pgtest.ToServer, pgtest.ToClient} {
		t.Run(fmt.Sprint(ways), func(t *testing.T) {
			t.Parallel()
			wire, cfg := pgtest.OverWire(t, pgtest.Config(t))
			wire.Hush(ways)
			db, log := open(t, brief(cfg))
			log.await("cannot be used yet")
			wire.Speak()
			awaitReady(t, db)
		})
	}
}

func TestSilence_DoesNotKeepAStopWaiting(t *testing.T) {
	t.Parallel()
	wire, cfg := pgtest.OverWire(t, pgtest.Config(t))
	cfg = brief(cfg)
	cfg.StatementTimeout = time.Hour
	db := postgres.New(cfg, "", pgtest.Sample(), nil)
	require.NoError(t, db.Start(t.Context()))
	awaitReady(t, db)
	hushed, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- uses["exec in a transaction"](context.Background(), db, func() {
			wire.Hush(pgtest.BothWays)
			close(hushed)
		})
	}()
	<-hushed
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Second)
	defer cancel()
	require.NoError(t, db.Stop(ctx))
	require.Error(t, <-ended)
}
