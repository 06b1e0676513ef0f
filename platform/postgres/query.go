package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"telltale/platform/fault"
	"telltale/platform/retry"
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
	era := db.era.Load()
	if era.Err() != nil {
		return nil, fault.Busy(retryAfter, nil, away)
	}
	bounded, cancel := context.WithTimeout(ctx, db.cfg.ConnectionTimeout)
	defer cancel()
	defer context.AfterFunc(era, cancel)()
	conn, err := insistOnConnection(bounded, pool)
	switch {
	case err == nil:
		return conn, nil
	case ctx.Err() != nil:
		return nil, err
	case era.Err() != nil:
		return nil, fault.Busy(retryAfter, err, away)
	case bounded.Err() != nil && Code(err) == "":
		db.suspect()
		return nil, fault.Busy(retryAfter, err, "no database connection became free within %s", db.cfg.ConnectionTimeout)
	}
	return nil, db.explain(ctx, err)
}

// The pauses of those who wait for a connection that the server refuses.
const (
	firstRefusal = 20 * time.Millisecond
	maxRefusal   = 500 * time.Millisecond
)

// insistOnConnection takes a connection from the pool. A server that has granted others all its connections is waited for, until ctx
// ends, as a pool that has none free is: meanwhile either may get one.
func insistOnConnection(ctx context.Context, pool *pgxpool.Pool) (*pgxpool.Conn, error) {
	pause := firstRefusal
	for {
		conn, err := pool.Acquire(ctx)
		if !Is(err, tooManyConnections) || retry.Pause(ctx, pause) != nil {
			return conn, err
		}
		pause = min(2*pause, maxRefusal)
	}
}

// Query is pgx's Query on a connection of the pool, which goes back there when the rows are closed, as reading them to
// the end does.
func (db *DB) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	conn, err := db.acquire(ctx)
	if err != nil {
		return nil, err
	}
	return db.lease(ctx, conn).query(conn, sql, args...)
}

// QueryRow is pgx's QueryRow on a connection of the pool, which goes back there at Scan. Without a row Scan returns
// pgx.ErrNoRows.
func (db *DB) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	conn, err := db.acquire(ctx)
	if err != nil {
		return failedRow{err}
	}
	l := db.lease(ctx, conn)
	return &row{row: conn.QueryRow(l.ctx, sql, args...), lease: l}
}

// Exec is pgx's Exec on a connection of the pool.
func (db *DB) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	conn, err := db.acquire(ctx)
	if err != nil {
		return pgconn.CommandTag{}, err
	}
	l := db.lease(ctx, conn)
	defer l.release()
	tag, err := conn.Exec(l.ctx, sql, args...)
	return tag, l.explain(err)
}

// SendBatch is pgx's SendBatch on a connection of the pool, which goes back there when the results are closed, or when
// the transaction ends that the batch has begun.
func (db *DB) SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults {
	conn, err := db.acquire(ctx)
	if err != nil {
		return pgx.FailedBatchResults(b, err)
	}
	l := db.lease(ctx, conn)
	return newBatchResults(conn.SendBatch(l.ctx, b), l)
}

// WithConn runs fn with a connection of the pool that is fn's alone until it returns. Fn must not keep it. Statements that fn
// gives to it have no limit but that of their context.
func (db *DB) WithConn(ctx context.Context, fn func(*pgx.Conn) error) error {
	conn, err := db.acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	err = fn(conn.Conn())
	if Code(err) == "" && !conn.Conn().IsClosed() {
		return err // whatever has failed, it was not this connection
	}
	return db.explain(ctx, err)
}

// InTx runs fn in a transaction and commits it, unless fn returns an error or panics: then it is rolled back. Each statement of
// the transaction has the limit of statements by itself. When the connection is lost during the commit, the fault returned does
// not tell whether it has happened.
func (db *DB) InTx(ctx context.Context, opts pgx.TxOptions, fn func(pgx.Tx) error) error {
	return db.WithConn(ctx, func(conn *pgx.Conn) error {
		tx, err := db.begin(ctx, conn, opts)
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
