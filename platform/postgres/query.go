package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"telltale/platform/fault"
)

// rollbackTimeout bounds a rollback, which goes on when the caller's context has ended.
const rollbackTimeout = 5 * time.Second

// acquire takes a connection from the pool, waiting for no longer than the connection timeout. Without a connection it
// returns an Unavailable fault, or ctx's error when that has ended.
func (db *DB) acquire(ctx context.Context) (*pgxpool.Conn, error) {
	pool := db.pool.Load()
	if pool == nil {
		return nil, fault.Busy(retryAfter, nil, "the database is not connected yet")
	}
	if db.status.Load().state == stateLost {
		return nil, fault.Busy(retryAfter, nil, "the database is not available")
	}
	bounded, cancel := context.WithTimeout(ctx, db.cfg.ConnectionTimeout)
	defer cancel()
	conn, err := pool.Acquire(bounded)
	switch {
	case err == nil:
		return conn, nil
	case ctx.Err() != nil:
		return nil, err
	case bounded.Err() != nil && errors.Is(err, context.DeadlineExceeded):
		return nil, fault.Busy(retryAfter, err, "no database connection became free within %s", db.cfg.ConnectionTimeout)
	}
	return nil, db.explain(ctx, err)
}

// Query is pgx's Query on a connection of the pool, which goes back there when the rows are closed, as reading them to
// the end does.
func (db *DB) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	conn, err := db.acquire(ctx)
	if err != nil {
		return nil, err
	}
	r, err := conn.Query(ctx, sql, args...)
	if err != nil {
		conn.Release()
		return nil, db.explain(ctx, err)
	}
	return &rows{Rows: r, lease: lease{db: db, ctx: ctx, conn: conn}}, nil
}

// QueryRow is pgx's QueryRow on a connection of the pool, which goes back there at Scan. Without a row Scan returns
// pgx.ErrNoRows.
func (db *DB) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	conn, err := db.acquire(ctx)
	if err != nil {
		return failedRow{err}
	}
	return &row{row: conn.QueryRow(ctx, sql, args...), lease: lease{db: db, ctx: ctx, conn: conn}}
}

// Exec is pgx's Exec on a connection of the pool.
func (db *DB) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	conn, err := db.acquire(ctx)
	if err != nil {
		return pgconn.CommandTag{}, err
	}
	defer conn.Release()
	tag, err := conn.Exec(ctx, sql, args...)
	return tag, db.explain(ctx, err)
}

// CopyFrom is pgx's CopyFrom on a connection of the pool.
func (db *DB) CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, src pgx.CopyFromSource) (int64, error) {
	conn, err := db.acquire(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Release()
	n, err := conn.CopyFrom(ctx, table, columns, src)
	return n, db.explain(ctx, err)
}

// SendBatch is pgx's SendBatch on a connection of the pool, which goes back there when the results are closed, or when
// the transaction ends that the batch has begun.
func (db *DB) SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults {
	conn, err := db.acquire(ctx)
	if err != nil {
		return pgx.FailedBatchResults(b, err)
	}
	return newBatchResults(conn.SendBatch(ctx, b), lease{db: db, ctx: ctx, conn: conn})
}

// WithConn runs fn with a connection of the pool that is fn's alone until it returns. Fn must not keep it.
func (db *DB) WithConn(ctx context.Context, fn func(*pgx.Conn) error) error {
	conn, err := db.acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	err = fn(conn.Conn())
	if _, fromServer := errors.AsType[*pgconn.PgError](err); !fromServer && !conn.Conn().IsClosed() {
		return err // whatever has failed, it was not this connection
	}
	return db.explain(ctx, err)
}

// InTx runs fn in a transaction and commits it, unless fn returns an error or panics: then it is rolled back. When the
// connection is lost during the commit, the fault returned does not tell whether it has happened.
func (db *DB) InTx(ctx context.Context, opts pgx.TxOptions, fn func(pgx.Tx) error) error {
	return db.WithConn(ctx, func(conn *pgx.Conn) error {
		tx, err := conn.BeginTx(ctx, opts)
		if err != nil {
			return err
		}
		defer func() {
			cleanup, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
			defer cancel()
			_ = tx.Rollback(cleanup) // does nothing after a commit
		}()
		if err := fn(tx); err != nil {
			return err
		}
		return tx.Commit(ctx)
	})
}
