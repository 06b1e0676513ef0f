package scan

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// rows is what a walker reads; pgx.Rows are some.
type rows interface {
	Next() bool
	RawValues() [][]byte
	Err() error
}

const (
	declareCursor = `DECLARE chunks_read BINARY NO SCROLL CURSOR FOR `
	fetchRows     = `FETCH %d FROM chunks_read`
)

// fetchFirst and fetchMost are how many rows of a cursor are fetched at first, and at most: each time twice as many.
const (
	fetchFirst = 8
	fetchMost  = 256
)

// readByCursor reads the statement by a cursor: to break it off would cost the connection.
func (s *Scan) readByCursor(ctx context.Context, v Visitor) error {
	query, args := s.Statement()
	return s.DB.InTx(ctx, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, declareCursor+query, args...); err != nil {
			return fmt.Errorf("reading chunks: %w", err)
		}
		fetched := &fetchedRows{ctx: ctx, conn: tx.Conn().PgConn(), next: fetchFirst}
		s.Pause.pin()
		return errors.Join(s.walk(ctx, fetched, v), fetched.close())
	})
}

// fetchedRows are the rows of a cursor, fetched as they are needed.
type fetchedRows struct {
	ctx    context.Context
	conn   *pgconn.PgConn
	reader *pgconn.ResultReader // nil before the first fetch
	next   int                  // rows to fetch next
	left   int                  // rows of this fetch that were not read
	err    error
}

func (r *fetchedRows) Next() bool {
	for r.err == nil {
		if r.reader != nil && r.reader.NextRow() {
			r.left--
			return true
		}
		if r.err = r.close(); r.err != nil || r.left > 0 { // fewer came than were asked for
			return false
		}
		r.reader = r.conn.ExecParams(r.ctx, fmt.Sprintf(fetchRows, r.next), nil, nil, nil, []int16{pgx.BinaryFormatCode})
		r.left, r.next = r.next, min(2*r.next, fetchMost)
	}
	return false
}

func (r *fetchedRows) RawValues() [][]byte { return r.reader.Values() }

func (r *fetchedRows) Err() error { return r.err }

// close reads what is left of the fetch under way.
func (r *fetchedRows) close() error {
	if r.reader == nil {
		return nil
	}
	_, err := r.reader.Close()
	r.reader = nil
	return err
}
