package readings

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"telltale/platform/postgres"
)

// Doorbell is the NOTIFY channel on which an append announces its seq to every instance.
const Doorbell = "telltale_log"

// Keys of the transaction-level advisory locks, "tell" followed by a number.
const (
	appendLock = 0x74656c6c_0001
	foldLock   = 0x74656c6c_0002
)

// MaxBatchReadings is the most readings that one batch can hold; a ref has room for no more.
const MaxBatchReadings = 1<<24 - 1

// errDropped says that series were dropped which the caller has not heard of: nothing was appended.
var errDropped = errors.New("series have been dropped since the batch was made")

// errTorn says that the log is not the one that the window has followed: it has been cut off before the window's head, or
// has lost its newest batches and given their seqs to others.
var errTorn = errors.New("the log is not the one followed so far")

// Log is the append-only table of batches in commit order, the first place a reading lives.
type Log struct {
	db *postgres.DB
}

// NewLog returns the log in the database given.
func NewLog(db *postgres.DB) *Log { return &Log{db: db} }

// State is the log's marks.
type State struct {
	// Head is the seq of the newest batch.
	Head int64
	// Folded is the seq up to which every batch is in chunks.
	Folded int64
	// Dropped is the seq of the newest batch that dropped series.
	Dropped int64
}

const selectState = `
SELECT greatest((SELECT max(seq) FROM reading_log), folded_seq), folded_seq, dropped_seq FROM log_state`

// State reads the log's marks.
func (l *Log) State(ctx context.Context) (s State, err error) {
	err = l.db.QueryRow(ctx, selectState).Scan(&s.Head, &s.Folded, &s.Dropped)
	if err != nil {
		return s, fmt.Errorf("reading the log's state: %w", err)
	}
	return s, nil
}

const selectHead = `SELECT coalesce((SELECT max(seq) FROM reading_log), folded_seq) FROM log_state`

// head returns the seq of the newest batch.
func (l *Log) head(ctx context.Context) (seq int64, err error) {
	if err := l.db.QueryRow(ctx, selectHead).Scan(&seq); err != nil {
		return 0, fmt.Errorf("reading the log's head: %w", err)
	}
	return seq, nil
}

// The lock is taken by a statement of its own, so that the snapshot of the next one sees every batch before it. It is
// held until the commit: seq order is commit order, and seqs are consecutive.
const lockAppend = `SELECT pg_advisory_xact_lock($1)`

const insertBatch = `
WITH appended AS (
	INSERT INTO reading_log (seq, min_ts, max_ts, series, ts, value, count)
	SELECT greatest((SELECT max(seq) FROM reading_log), state.folded_seq) + 1, $1, $2, $3, $4, $5, cardinality($3::integer[])
	FROM log_state AS state WHERE state.dropped_seq = $6
	RETURNING seq, committed_at
)
SELECT seq, committed_at, pg_notify('` + Doorbell + `', seq::text)::text FROM appended`

// Append makes a batch durable and sets its Seq and CommittedAt. It is one round trip: lock, insert and doorbell travel
// together as one implicit transaction. When series were dropped after seq dropped, nothing is appended and the error is
// errDropped. After any other error it is unknown whether the batch was stored; appending it again is safe.
func (l *Log) Append(ctx context.Context, b *Batch, dropped int64) error {
	err := l.withBlock(ctx, func() error { return l.append(ctx, b, dropped) })
	if err != nil && !errors.Is(err, errDropped) {
		return fmt.Errorf("appending to the log: %w", err)
	}
	return err
}

// withBlock runs what appends to the log, a second time if the log's newest block was full.
func (l *Log) withBlock(ctx context.Context, run func() error) error {
	err := run()
	if refusal, ok := errors.AsType[*pgconn.PgError](err); ok && refusal.Code == noPartition {
		if err := l.EnsureBlocks(ctx); err != nil {
			return err
		}
		return run()
	}
	return err
}

func (l *Log) append(ctx context.Context, b *Batch, dropped int64) error {
	var pipeline pgx.Batch
	pipeline.Queue(lockAppend, int64(appendLock))
	pipeline.Queue(insertBatch, slices.Min(b.TS), slices.Max(b.TS), b.Series, b.TS, b.Value, dropped)
	results := l.db.SendBatch(ctx, &pipeline)
	_, err := results.Exec()
	if err == nil {
		err = results.QueryRow().Scan(&b.Seq, &b.CommittedAt, nil)
	}
	// Close waits for the commit: only its success makes the batch durable.
	if closeErr := results.Close(); err == nil {
		err = closeErr
	}
	if errors.Is(err, pgx.ErrNoRows) {
		return errDropped
	}
	return err
}

// readBatches bounds how many batches are read at once, for those that hold little.
const readBatches = 1000

const selectBatches = `
SELECT seq, committed_at, series, ts, value, dropped
FROM (
	SELECT *, sum(count) OVER (ORDER BY seq) - count AS before
	FROM (SELECT * FROM reading_log WHERE seq > $1 ORDER BY seq LIMIT $2) AS next
) AS counted
WHERE before < $3
ORDER BY seq`

// Read returns the batches after seq, oldest first, until they hold the number of readings given or there are no more;
// none when seq is the head.
func (l *Log) Read(ctx context.Context, after int64, readings int) ([]*Batch, error) {
	rows, err := l.db.Query(ctx, selectBatches, after, readBatches, readings)
	if err != nil {
		return nil, fmt.Errorf("reading the log: %w", err)
	}
	batches, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (*Batch, error) {
		b := &Batch{}
		return b, row.Scan(&b.Seq, &b.CommittedAt, &b.Series, &b.TS, &b.Value, &b.Dropped)
	})
	if err != nil {
		return nil, fmt.Errorf("reading the log: %w", err)
	}
	return batches, nil
}

const selectCommittedAt = `SELECT committed_at FROM reading_log WHERE seq = $1`

// querier is a pool or a transaction.
type querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// holds reports whether the log's batch of that seq is b. After a restore, or a failover to a server that had not got
// everything, it may be another one or none.
func holds(ctx context.Context, db querier, b *Batch) (bool, error) {
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

const insertDrop = `
WITH locked AS (
	SELECT id FROM series WHERE device_id = $1 ORDER BY id FOR UPDATE
), dropped AS (
	DELETE FROM series USING locked WHERE series.id = locked.id RETURNING series.id
), appended AS (
	INSERT INTO reading_log (seq, count, min_ts, max_ts, series, ts, value, dropped)
	SELECT greatest((SELECT max(seq) FROM reading_log), state.folded_seq) + 1, 0, 0, 0, '{}', '{}', '{}',
		(SELECT coalesce(array_agg(id), '{}') FROM dropped)
	FROM log_state AS state
	RETURNING seq
)
UPDATE log_state SET dropped_seq = appended.seq FROM appended
RETURNING appended.seq, pg_notify('` + Doorbell + `', appended.seq::text)::text`

// Drop removes a device and its series within tx and appends a batch that tells every instance so. The chunks go with
// the next fold.
func (l *Log) Drop(ctx context.Context, tx pgx.Tx, device string) (seq int64, err error) {
	// Nobody appends until tx ends: an instance whose machine vanishes must not delay that for long.
	if _, err := tx.Exec(ctx, `SET LOCAL idle_in_transaction_session_timeout = '10s'`); err != nil {
		return 0, fmt.Errorf("locking the log: %w", err)
	}
	if _, err := tx.Exec(ctx, lockAppend, int64(appendLock)); err != nil {
		return 0, fmt.Errorf("locking the log: %w", err)
	}
	if err := tx.QueryRow(ctx, insertDrop, device).Scan(&seq, nil); err != nil {
		return 0, fmt.Errorf("appending the removal of a device: %w", err)
	}
	return seq, nil
}

// Missing is a stretch of the log that is gone, because it is older than the log's retention. The readings are still in
// history, between MinTS and MaxTS (Unix ms, both inclusive), unless their own retention has ended.
type Missing struct {
	FirstSeq, LastSeq int64
	MinTS, MaxTS      int64
}

const selectMissing = `
SELECT coalesce(max(last_seq), 0), coalesce(min(min_ts), 0), coalesce(max(max_ts), 0)
FROM log_blocks_dropped WHERE last_seq > $1`

// Missing tells what of the log after seq is gone; ok is false when nothing is.
func (l *Log) Missing(ctx context.Context, after int64) (m Missing, ok bool, err error) {
	m.FirstSeq = after + 1
	if err := l.db.QueryRow(ctx, selectMissing, after).Scan(&m.LastSeq, &m.MinTS, &m.MaxTS); err != nil {
		return m, false, fmt.Errorf("reading what of the log is gone: %w", err)
	}
	return m, m.LastSeq > after, nil
}

// noPartition is the SQLSTATE of a row for which there is no block yet (check_violation).
const noPartition = "23514"

// millis converts Unix milliseconds to a time in UTC.
func millis(ts int64) time.Time { return time.UnixMilli(ts).UTC() }
