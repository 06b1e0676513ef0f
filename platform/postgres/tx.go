package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// LimitWait is the first statement of a transaction that takes an exclusive lock: it fails rather than hold up for long every
// session that waits behind it.
const LimitWait = `SET LOCAL lock_timeout = '250ms'`

// limitedTx is a transaction whose statements, beginning and end have the limit of statements each, and whose errors are
// explained.
type limitedTx struct {
	pgx.Tx
	db      *DB
	release func() // gives the connection back at the end; nil where that is the matter of others
}

func (db *DB) begin(ctx context.Context, conn *pgx.Conn, opts pgx.TxOptions) (pgx.Tx, error) {
	t := db.timed(ctx)
	defer t.end()
	tx, err := conn.BeginTx(t.ctx, opts)
	if err != nil {
		return nil, t.explain(err)
	}
	return &limitedTx{Tx: tx, db: db}, nil
}

// Begin begins a transaction within the transaction: a savepoint.
func (tx *limitedTx) Begin(ctx context.Context) (pgx.Tx, error) {
	t := tx.db.timed(ctx)
	defer t.end()
	inner, err := tx.Tx.Begin(t.ctx)
	if err != nil {
		return nil, t.explain(err)
	}
	return &limitedTx{Tx: inner, db: tx.db}, nil
}

func (tx *limitedTx) Commit(ctx context.Context) error { return tx.finish(ctx, tx.Tx.Commit) }

func (tx *limitedTx) Rollback(ctx context.Context) error { return tx.finish(ctx, tx.Tx.Rollback) }

func (tx *limitedTx) finish(ctx context.Context, way func(context.Context) error) error {
	if tx.release != nil {
		defer tx.release()
	}
	t := tx.db.timed(ctx)
	defer t.end()
	return t.explain(way(t.ctx))
}

func (tx *limitedTx) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	t := tx.db.timed(ctx)
	defer t.end()
	tag, err := tx.Tx.Exec(t.ctx, sql, args...)
	return tag, t.explain(err)
}

func (tx *limitedTx) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	return tx.db.lease(ctx, nil).query(tx.Tx, sql, args...)
}

func (tx *limitedTx) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	l := tx.db.lease(ctx, nil)
	return &row{row: tx.Tx.QueryRow(l.ctx, sql, args...), lease: l}
}

func (tx *limitedTx) SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults {
	l := tx.db.lease(ctx, nil)
	return newBatchResults(tx.Tx.SendBatch(l.ctx, b), l)
}

func (tx *limitedTx) CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, src pgx.CopyFromSource) (int64, error) {
	t := tx.db.timed(ctx)
	defer t.end()
	n, err := tx.Tx.CopyFrom(t.ctx, table, columns, src)
	return n, t.explain(err)
}
