package batchlog

import (
	"context"
	"errors"
	"fmt"
	"time"

	"telltale/modules/readings/deletion"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// readBatches bounds how many batches are read at once, for those that hold little.
const readBatches = 1000

const selectBatch = `
SELECT seq, committed_at, series, data, dropped, deleted, deleted_from, deleted_to`

const selectBatches = selectBatch + `
FROM (
	SELECT *, sum(count) OVER (ORDER BY seq) - count AS before
	FROM (SELECT * FROM reading_log WHERE seq > $1 ORDER BY seq LIMIT $2) AS next
) AS counted
WHERE before < $3
ORDER BY seq`

// Read returns the batches after seq, oldest first, until they hold the number of readings given or there are no more;
// none when seq is the head.
func (l *Log) Read(ctx context.Context, after int64, readings int) ([]*Batch, error) {
	return l.query(ctx, selectBatches, after, readBatches, readings)
}

// readNext is Read for a reader whose newest batch has the seq and stamp given. It returns ErrTorn when the log has another batch
// of that seq: what follows it does not follow the reader's. A log that has none any more has dropped it.
func (l *Log) readNext(ctx context.Context, head, stamp int64, readings int) ([]*Batch, error) {
	var pipeline pgx.Batch
	pipeline.Queue(selectCommittedAt, head)
	pipeline.Queue(selectBatches, head, readBatches, readings)
	results := l.db.SendBatch(ctx, &pipeline)
	batches, err := scanNext(results, stamp)
	if closeErr := results.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return nil, fmt.Errorf("reading the log: %w", err)
	}
	return batches, nil
}

// scanNext reads the results of readNext.
func scanNext(results pgx.BatchResults, stamp int64) ([]*Batch, error) {
	var at time.Time
	switch err := results.QueryRow().Scan(&at); {
	case err != nil && !errors.Is(err, pgx.ErrNoRows):
		return nil, err
	case err == nil && at.UnixMicro() != stamp:
		return nil, ErrTorn
	}
	rows, err := results.Query()
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanBatch)
}

// query returns the batches that a statement selects, in the columns of selectBatch.
func (l *Log) query(ctx context.Context, statement string, args ...any) ([]*Batch, error) {
	rows, err := l.db.Query(ctx, statement, args...)
	if err != nil {
		return nil, fmt.Errorf("reading the log: %w", err)
	}
	batches, err := pgx.CollectRows(rows, scanBatch)
	if err != nil {
		return nil, fmt.Errorf("reading the log: %w", err)
	}
	return batches, nil
}

// scanBatch makes a batch of a row of selectBatch.
func scanBatch(row pgx.CollectableRow) (*Batch, error) {
	b := &Batch{}
	var ids, data pgtype.DriverBytes
	var deleted []int32
	var from, to *int64
	if err := row.Scan(&b.Seq, &b.CommittedAt, &ids, &data, &b.Dropped, &deleted, &from, &to); err != nil {
		return nil, err
	}
	if from != nil {
		b.Deletion = &deletion.Marker{Series: deleted, From: *from, To: *to}
	}
	return b, decode(b, ids, data)
}

const selectCommittedAt = `SELECT committed_at FROM reading_log WHERE seq = $1`

// querier is a pool or a transaction.
type querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// Holds reports whether the log's batch of that seq is b. After a restore, or a failover to a server that had not got
// everything, it may be another one or none.
func Holds(ctx context.Context, db querier, b *Batch) (bool, error) {
	var at time.Time
	err := db.QueryRow(ctx, selectCommittedAt, b.Seq).Scan(&at)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("looking for batch %d in the log: %w", b.Seq, err)
	}
	return at.Equal(b.CommittedAt), nil
}
