package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// lease is a connection that results hold until they have been read, and the time for that.
type lease struct {
	timed
	conn *pgxpool.Conn // nil within a transaction, which keeps it
}

func (db *DB) lease(ctx context.Context, conn *pgxpool.Conn) lease {
	return lease{timed: db.timed(ctx), conn: conn}
}

// release does nothing when it is called a second time.
func (l lease) release() {
	l.end()
	if l.conn != nil {
		l.conn.Release()
	}
}

// statements is what runs them: a connection or a transaction.
type statements interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// query returns rows that end the lease when they have been read.
func (l lease) query(on statements, sql string, args ...any) (pgx.Rows, error) {
	r, err := on.Query(l.ctx, sql, args...)
	if err != nil {
		l.release()
		return nil, l.explain(err)
	}
	return &rows{Rows: r, lease: l}, nil
}

// rows are pgx.Rows that give their connection back.
type rows struct {
	pgx.Rows
	lease
}

func (r *rows) Close() {
	r.Rows.Close()
	r.release()
}

func (r *rows) Err() error { return r.explain(r.Rows.Err()) }

func (r *rows) Next() bool {
	if r.Rows.Next() {
		return true
	}
	r.release()
	return false
}

func (r *rows) Scan(dest ...any) error {
	err := r.Rows.Scan(dest...)
	if err != nil {
		r.Close()
	}
	return r.explain(err)
}

func (r *rows) Values() ([]any, error) {
	values, err := r.Rows.Values()
	if err != nil {
		r.Close()
	}
	return values, r.explain(err)
}

// explainedRows are the rows of one statement of a batch; the connection stays with the batch.
type explainedRows struct {
	pgx.Rows
	lease
}

func (r *explainedRows) Err() error { return r.explain(r.Rows.Err()) }

// row is a pgx.Row that gives its connection back.
type row struct {
	row pgx.Row
	lease
}

func (r *row) Scan(dest ...any) error {
	defer r.release()
	return r.explain(r.row.Scan(dest...))
}

// explainedRow is a row of results that keep their connection.
type explainedRow struct {
	row pgx.Row
	lease
}

func (r explainedRow) Scan(dest ...any) error { return r.explain(r.row.Scan(dest...)) }

type failedRow struct{ err error }

func (r failedRow) Scan(...any) error { return r.err }

// batchResults are pgx.BatchResults that give their connection back.
type batchResults struct {
	pgx.BatchResults
	lease
	tx pgx.Tx // nil unless the batch has begun a transaction, which then holds the connection
}

func newBatchResults(results pgx.BatchResults, l lease) *batchResults {
	b := &batchResults{BatchResults: results, lease: l}
	if tx := results.Tx(); tx != nil {
		b.tx = &limitedTx{Tx: tx, db: l.db, release: l.conn.Release}
	}
	return b
}

func (b *batchResults) Exec() (pgconn.CommandTag, error) {
	tag, err := b.BatchResults.Exec()
	return tag, b.explain(err)
}

func (b *batchResults) Query() (pgx.Rows, error) {
	r, err := b.BatchResults.Query()
	return &explainedRows{Rows: r, lease: b.lease}, b.explain(err)
}

func (b *batchResults) QueryRow() pgx.Row { return explainedRow{b.BatchResults.QueryRow(), b.lease} }

func (b *batchResults) Close() error {
	err := b.BatchResults.Close()
	if b.tx == nil {
		b.release()
	} else {
		b.end()
	}
	return b.explain(err)
}

func (b *batchResults) Tx() pgx.Tx { return b.tx }
