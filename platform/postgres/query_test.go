package postgres_test

import (
	"context"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"telltale/config"
	"telltale/platform/fault"
	"telltale/platform/postgres"
	"telltale/platform/postgres/pgtest"
)

// Every test here has a pool of one connection: a connection that is not given back makes the next statement fail.
func openNarrow(t testing.TB, change func(*config.DB)) *postgres.DB {
	cfg := pgtest.Config(t)
	cfg.MaxConnections = 1
	change(&cfg)
	return pgtest.Open(t, cfg)
}

func TestQuery_StatementsReturnTheirConnection(t *testing.T) {
	t.Parallel()
	for name, prepared := range map[string]bool{"with prepared statements": true, "without prepared statements": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := openNarrow(t, func(cfg *config.DB) { cfg.PreparedStatements = prepared })
			for range 3 {
				useEveryMethod(t, db)
			}
		})
	}
}

// What is planned each time is planned for its arguments, or it would look at every partition.
func TestQuery_OnlyPreparedStatementsArePlannedForAnyArguments(t *testing.T) {
	t.Parallel()
	for prepared, want := range map[bool]string{true: "force_generic_plan", false: "auto"} {
		db := openNarrow(t, func(cfg *config.DB) { cfg.PreparedStatements = prepared })
		var mode string
		require.NoError(t, db.QueryRow(t.Context(), "SHOW plan_cache_mode").Scan(&mode))
		require.Equal(t, want, mode)
	}
}

func useEveryMethod(t *testing.T, db *postgres.DB) {
	ctx := context.Background()
	_, err := db.Exec(ctx, "CREATE TABLE IF NOT EXISTS numbers (n int)")
	require.NoError(t, err)

	_, err = db.Exec(ctx, "INSERT INTO numbers VALUES (1), (2)")
	require.NoError(t, err)

	rows, err := db.Query(ctx, "SELECT n FROM numbers WHERE n = ANY($1) ORDER BY n LIMIT 2", []int{1, 2})
	require.NoError(t, err)
	_, err = pgx.CollectRows(rows, pgx.RowTo[int])
	require.NoError(t, err)

	rows, err = db.Query(ctx, "SELECT n FROM numbers")
	require.NoError(t, err)
	require.True(t, rows.Next())
	rows.Close() // before the end

	rows, err = db.Query(ctx, "SELECT 'x'")
	require.NoError(t, err)
	_, err = pgx.CollectRows(rows, pgx.RowTo[int])
	require.Error(t, err)

	var name string
	require.NoError(t, db.QueryRow(ctx, "SELECT current_setting('application_name')").Scan(&name))
	require.Equal(t, "telltale", name)
	require.Equal(t, pgx.ErrNoRows, db.QueryRow(ctx, "SELECT 1 WHERE false").Scan(&name))

	batch := &pgx.Batch{}
	batch.Queue("SELECT $1::int", 1)
	batch.Queue("DELETE FROM numbers")
	results := db.SendBatch(ctx, batch)
	require.Nil(t, results.Tx())
	require.NoError(t, results.QueryRow().Scan(new(int)))
	_, err = results.Exec()
	require.NoError(t, err)
	require.NoError(t, results.Close())

	batch = &pgx.Batch{}
	batch.BeginTx(pgx.TxOptions{})
	batch.Queue("INSERT INTO numbers VALUES (1)")
	results = db.SendBatch(ctx, batch)
	require.NoError(t, results.Close())
	require.NoError(t, results.Tx().Rollback(ctx))

	_, err = db.Exec(ctx, "SELEC 1")
	pgErr, ok := errors.AsType[*pgconn.PgError](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, "42601", pgErr.Code)
	require.Nil(t, fault.As(err))
}

func TestQuery_ATransactionCommitsOnlyWhenItsFunctionReturnsNil(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db := openNarrow(t, func(*config.DB) {})
	insert := func(id string, then func() error) error {
		return db.InTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
			_, err := tx.Exec(ctx, "INSERT INTO devices (id) VALUES ($1)", id)
			require.NoError(t, err)
			return then()
		})
	}
	refused := fault.New(fault.Conflict, "no")
	require.NoError(t, insert("kept", func() error { return nil }))
	require.ErrorIs(t, insert("refused", func() error { return refused }), refused)
	require.Panics(t, func() { _ = insert("panicked", func() error { panic("oh") }) })

	rows, err := db.Query(ctx, "SELECT id FROM devices")
	require.NoError(t, err)
	ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	require.Equal(t, []string{"kept"}, ids)
}

func TestQuery_AnErrorOfAnotherConnectionInATransactionIsLeftAsItIs(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db := openNarrow(t, func(*config.DB) {})
	for _, other := range []error{io.ErrUnexpectedEOF, &net.OpError{Op: "write", Err: syscall.EPIPE}, context.DeadlineExceeded} {
		err := db.InTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
			_, err := tx.Exec(ctx, "SELECT 1")
			require.NoError(t, err)
			return other // of a caller's client, say
		})
		require.Equal(t, other, err)
	}
}

func TestQuery_ACancelledTransactionDoesNotSpoilThePool(t *testing.T) {
	t.Parallel()
	db := openNarrow(t, func(*config.DB) {})
	ctx, cancel := context.WithCancel(context.Background())
	err := db.InTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		cancel()
		_, err := tx.Exec(ctx, "SELECT 1")
		return err
	})
	require.ErrorIs(t, err, context.Canceled)
	require.Nil(t, fault.As(err))
	_, err = db.Exec(context.Background(), "SELECT 1")
	require.NoError(t, err)
}

func TestQuery_AConnectionLostInAStatementIsUnavailableAndTheNextStatementWorks(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db := openNarrow(t, func(*config.DB) {})
	suicides := map[string]func() error{
		"exec": func() error {
			_, err := db.Exec(ctx, "SELECT pg_terminate_backend(pg_backend_pid())")
			return err
		},
		"query row": func() error {
			var ok bool
			return db.QueryRow(ctx, "SELECT pg_terminate_backend(pg_backend_pid())").Scan(&ok)
		},
		"query": func() error {
			rows, err := db.Query(ctx, "SELECT pg_terminate_backend(pg_backend_pid())")
			if err != nil {
				return err
			}
			_, err = pgx.CollectRows(rows, pgx.RowTo[bool])
			return err
		},
		"transaction": func() error {
			return db.InTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
				_, err := tx.Exec(ctx, "SELECT pg_terminate_backend(pg_backend_pid())")
				return err
			})
		},
		"batch": func() error {
			batch := &pgx.Batch{}
			batch.Queue("SELECT pg_terminate_backend(pg_backend_pid())")
			return db.SendBatch(ctx, batch).Close()
		},
		"row of a batch": func() error {
			batch := &pgx.Batch{}
			batch.Queue("SELECT pg_terminate_backend(pg_backend_pid())")
			results := db.SendBatch(ctx, batch)
			defer results.Close()
			var ok bool
			return results.QueryRow().Scan(&ok)
		},
		"rows of a batch": func() error {
			batch := &pgx.Batch{}
			batch.Queue("SELECT pg_terminate_backend(pg_backend_pid())")
			results := db.SendBatch(ctx, batch)
			defer results.Close()
			rows, err := results.Query()
			if err != nil {
				return err
			}
			_, err = pgx.CollectRows(rows, pgx.RowTo[bool])
			return err
		},
	}
	for name, suicide := range suicides {
		err := suicide()
		require.Equal(t, fault.Unavailable, fault.KindOf(err), "%s: %v", name, err)
		_, err = db.Exec(ctx, "SELECT 1")
		require.NoError(t, err, "after %s", name)
	}
}

func TestQuery_WhatAPoolerMakesOfPreparedStatementsNamesTheSettingThatHelps(t *testing.T) {
	t.Parallel()
	db := openNarrow(t, func(*config.DB) {})
	for _, code := range []string{"26000", "42P05"} {
		_, err := db.Exec(t.Context(), `DO $$ BEGIN RAISE 'prepared statement "stmtcache_1"' USING ERRCODE = '`+code+`'; END $$`)
		require.ErrorContains(t, err, "set DB_PREPARED_STATEMENTS=false")
		require.ErrorContains(t, err, "SQLSTATE "+code)
		require.Equal(t, fault.Internal, fault.KindOf(err))
	}
}

func TestQuery_AFullDiskIsToldFromAMistake(t *testing.T) {
	t.Parallel()
	db := openNarrow(t, func(*config.DB) {})
	_, err := db.Exec(t.Context(), `DO $$ BEGIN RAISE 'could not extend file' USING ERRCODE = 'disk_full'; END $$`)
	require.Equal(t, fault.Unavailable, fault.KindOf(err))
	require.ErrorContains(t, err, "could not extend file", "for the log")
	require.Equal(t, "the database has no room left on its disk", fault.As(err).Message)
}
