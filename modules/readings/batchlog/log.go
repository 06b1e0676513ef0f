package batchlog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"telltale/platform/postgres"
)

// Doorbell is the NOTIFY channel on which an append announces its seq to every instance.
const Doorbell = "telltale_log"

// appendLock is the key of the transaction-level advisory lock of an append: "tell" followed by 1.
const appendLock = 0x74656c6c_0001

// MaxBatchReadings is the most readings that one batch can hold; a ref has room for no more.
const MaxBatchReadings = 1<<24 - 1

// errDropped says that series were dropped which the caller has not heard of: nothing was appended.
var errDropped = errors.New("series have been dropped since the batch was made")

// ErrTorn says that the log is not the one that the window has followed: it has been cut off before the window's head, or
// has lost its newest batches and given their seqs to others.
var ErrTorn = errors.New("the log is not the one followed so far")

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
	// HeadStamp and FoldedStamp are the stamps of the batches Head and Folded, 0 when there has been none.
	HeadStamp, FoldedStamp int64
}

// fromState reads the log's marks and its newest batch, if it has one.
const fromState = `
FROM log_state AS state LEFT JOIN LATERAL (SELECT seq, committed_at FROM reading_log ORDER BY seq DESC LIMIT 1) AS newest ON true`

const selectState = `
SELECT greatest(newest.seq, folded_seq), folded_seq, dropped_seq, greatest(newest.committed_at, folded_at), folded_at` + fromState

// State reads the log's marks.
func (l *Log) State(ctx context.Context) (s State, err error) {
	var headAt, foldedAt *time.Time
	err = l.db.QueryRow(ctx, selectState).Scan(&s.Head, &s.Folded, &s.Dropped, &headAt, &foldedAt)
	s.HeadStamp, s.FoldedStamp = stampOf(headAt), stampOf(foldedAt)
	if err != nil {
		return s, fmt.Errorf("reading the log's state: %w", err)
	}
	return s, nil
}

// SelectHead reads the seq of the newest batch; it is a statement for queries that read more in the same round trip.
const SelectHead = `SELECT coalesce((SELECT max(seq) FROM reading_log), folded_seq) FROM log_state`

// head returns the seq of the newest batch.
func (l *Log) head(ctx context.Context) (seq int64, err error) {
	if err := l.db.QueryRow(ctx, SelectHead).Scan(&seq); err != nil {
		return 0, fmt.Errorf("reading the log's head: %w", err)
	}
	return seq, nil
}

// The lock is taken by a statement of its own, so that the snapshot of the next one sees every batch before it. It is
// held until the commit: seq order is commit order, seqs are consecutive, and stamps ascend even when the server's clock goes back.
const lockAppend = `SELECT pg_advisory_xact_lock($1)`

const nextBatch = `greatest(newest.seq, state.folded_seq) + 1,
	greatest(clock_timestamp(), greatest(newest.committed_at, state.folded_at) + interval '1 microsecond')`

const insertBatch = `
WITH next (seq, committed_at, before, dropped_seq) AS (
	SELECT ` + nextBatch + `, newest.committed_at, state.dropped_seq` + fromState + `
), appended AS (
	INSERT INTO reading_log (seq, committed_at, min_ts, max_ts, series, data, count)
	SELECT seq, committed_at, $1, $2, $3, $4, $5 FROM next WHERE dropped_seq = $6
	RETURNING seq, committed_at
)
SELECT appended.seq, appended.committed_at, next.before, pg_notify('` + Doorbell + `', appended.seq::text)::text FROM appended, next`

// Append makes a batch durable and sets its Seq and CommittedAt. It is one round trip: lock, insert and doorbell travel
// together as one implicit transaction. When series were dropped after seq dropped, nothing is appended and the error is
// errDropped. After any other error it is unknown whether the batch was stored; appending it again is safe.
func (l *Log) Append(ctx context.Context, b *Batch, dropped int64) error {
	err := l.withBlock(ctx, func() error { return l.insert(ctx, b, dropped) })
	if err != nil && !errors.Is(err, errDropped) {
		return fmt.Errorf("appending to the log: %w", err)
	}
	return err
}

// InTx runs what appends to the log in a transaction, a second time if the log's newest block was full.
func (l *Log) InTx(ctx context.Context, run func(tx pgx.Tx) error) error {
	return l.withBlock(ctx, func() error { return l.db.InTx(ctx, pgx.TxOptions{}, run) })
}

// withBlock runs what appends to the log, a second time if the log's newest block was full.
func (l *Log) withBlock(ctx context.Context, run func() error) error {
	err := run()
	if postgres.Is(err, postgres.CheckViolation) { // there is no partition for the row
		if err := l.EnsureBlocks(ctx); err != nil {
			return err
		}
		return run()
	}
	return err
}

func (l *Log) insert(ctx context.Context, b *Batch, dropped int64) error {
	var pipeline pgx.Batch
	pipeline.Queue(lockAppend, int64(appendLock))
	ids, data := Encode(b)
	pipeline.Queue(insertBatch, slices.Min(b.TS), slices.Max(b.TS), ids, data, b.Len(), dropped)
	results := l.db.SendBatch(ctx, &pipeline)
	_, err := results.Exec()
	if err == nil {
		var before *time.Time
		err = results.QueryRow().Scan(&b.Seq, &b.CommittedAt, &before, nil)
		b.before = stampOf(before)
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
