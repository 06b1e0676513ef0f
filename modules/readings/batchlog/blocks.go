package batchlog

import (
	"context"
	"fmt"
	"time"

	"telltale/platform/postgres"

	"github.com/jackc/pgx/v5"
)

// The log is kept in blocks: partitions of consecutive seqs, attached ahead of the head and dropped whole.
const (
	minBlockWidth = 1 << 10 // batches
	maxBlockWidth = 1 << 22
	// blockSpan is how long a block should take to fill; the next one is made wider or narrower accordingly.
	blockSpan = time.Hour
)

// block is one partition of the log, holding seqs in [First, End).
type block struct {
	Table      string
	First, End int64
}

func (b block) width() int64 { return b.End - b.First }

const selectBlocks = `
SELECT c.relname,
	(regexp_match(pg_get_expr(c.relpartbound, c.oid), 'FROM \(''?(\d+)'))[1]::bigint AS first,
	(regexp_match(pg_get_expr(c.relpartbound, c.oid), 'TO \(''?(\d+)'))[1]::bigint AS end
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'reading_log'::regclass
ORDER BY first`

func readBlocks(ctx context.Context, tx pgx.Tx) ([]block, error) {
	rows, err := tx.Query(ctx, selectBlocks)
	if err != nil {
		return nil, fmt.Errorf("listing the log's blocks: %w", err)
	}
	blocks, err := pgx.CollectRows(rows, pgx.RowToStructByPos[block])
	if err != nil {
		return nil, fmt.Errorf("listing the log's blocks: %w", err)
	}
	return blocks, nil
}

// EnsureBlocks attaches a new block when less than half of the newest one is free. Attaching locks out neither readers nor
// writers.
func (l *Log) EnsureBlocks(ctx context.Context) error {
	return l.db.InTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		// Instances that notice at the same time attach the block once.
		if _, err := tx.Exec(ctx, `LOCK TABLE log_blocks_dropped IN SHARE ROW EXCLUSIVE MODE`); err != nil {
			return fmt.Errorf("locking the log's blocks: %w", err)
		}
		blocks, err := readBlocks(ctx, tx)
		if err != nil {
			return err
		}
		var head int64
		if err := tx.QueryRow(ctx, selectState).Scan(&head, nil, nil, nil, nil); err != nil {
			return fmt.Errorf("reading the log's head: %w", err)
		}
		newest := block{First: 1, End: head + 1}
		if len(blocks) > 0 {
			newest = blocks[len(blocks)-1]
		}
		if newest.End-head > newest.width()/2 {
			return nil
		}
		width, err := nextWidth(ctx, tx, newest)
		if err != nil {
			return err
		}
		return attachBlock(ctx, tx, block{First: newest.End, End: newest.End + width})
	})
}

// nextWidth chooses the width of the block after newest so that it fills in about blockSpan.
func nextWidth(ctx context.Context, tx pgx.Tx, newest block) (int64, error) {
	const query = `SELECT extract(epoch FROM max(committed_at) - min(committed_at))::float8, max(seq) - min(seq)
		FROM reading_log WHERE seq >= $1 AND seq < $2`
	var seconds *float64
	var batches *int64
	if err := tx.QueryRow(ctx, query, newest.First, newest.End).Scan(&seconds, &batches); err != nil {
		return 0, fmt.Errorf("measuring the log's newest block: %w", err)
	}
	width := newest.width()
	if seconds != nil && batches != nil {
		// Not much wider or narrower than the last, so that one burst does not decide.
		wanted := int64(float64(*batches) / max(*seconds, 1) * blockSpan.Seconds())
		width = min(max(wanted, width/2), width*4)
	}
	return min(max(width, minBlockWidth), maxBlockWidth), nil
}

func attachBlock(ctx context.Context, tx pgx.Tx, b block) error {
	b.Table = fmt.Sprintf("reading_log_%d", b.First)
	create := fmt.Sprintf(`CREATE TABLE %s (LIKE reading_log INCLUDING ALL)`, b.Table)
	attach := fmt.Sprintf(`ALTER TABLE reading_log ATTACH PARTITION %s FOR VALUES FROM (%d) TO (%d)`, b.Table, b.First, b.End)
	for _, statement := range []string{create, attach} {
		if _, err := tx.Exec(ctx, statement); err != nil {
			return fmt.Errorf("attaching a block to the log: %w", err)
		}
	}
	return nil
}

const insertDroppedBlock = `
INSERT INTO log_blocks_dropped (first_seq, last_seq, min_ts, max_ts, last_at)
SELECT $1, $2, min(min_ts) FILTER (WHERE count > 0), max(max_ts) FILTER (WHERE count > 0), max(committed_at)
FROM reading_log WHERE seq >= $1 AND seq <= $2`

// keepDropped is how many dropped blocks are remembered each by itself: weeks of them. Those before are remembered as one, so
// that a viewer who has been away for longer is told of more than it has missed.
const keepDropped = 1000

const mergeDroppedBlocks = `
WITH old AS (
	DELETE FROM log_blocks_dropped
	WHERE first_seq <= (SELECT first_seq FROM log_blocks_dropped ORDER BY first_seq DESC OFFSET $1 LIMIT 1)
	RETURNING *
)
INSERT INTO log_blocks_dropped (first_seq, last_seq, min_ts, max_ts, last_at)
SELECT min(first_seq), max(last_seq), min(min_ts), max(max_ts), max(last_at) FROM old HAVING count(*) > 0`

// selectDisposable finds out whether a block is wholly folded and its newest batch older than the time given.
const selectDisposable = `
SELECT $2 <= folded_seq AND coalesce((SELECT max(committed_at) < $3 FROM reading_log WHERE seq >= $1 AND seq <= $2), true)
FROM log_state`

// DropBlocks drops the blocks whose batches are all folded and were committed before the time given, and returns how many.
// It gives up, to be called again, rather than make appends wait for longer than a moment.
func (l *Log) DropBlocks(ctx context.Context, before time.Time) (dropped int, err error) {
	for {
		done := false
		err := l.db.InTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) (err error) {
			done, err = dropOldestBlock(ctx, tx, before)
			return err
		})
		if err != nil || !done {
			return dropped, err
		}
		dropped++
	}
}

func dropOldestBlock(ctx context.Context, tx pgx.Tx, before time.Time) (done bool, err error) {
	if _, err := tx.Exec(ctx, postgres.LimitWait); err != nil {
		return false, err
	}
	if _, err := tx.Exec(ctx, `LOCK TABLE log_blocks_dropped IN SHARE ROW EXCLUSIVE MODE`); err != nil {
		return false, fmt.Errorf("locking the log's blocks: %w", err)
	}
	blocks, err := readBlocks(ctx, tx)
	if err != nil || len(blocks) == 0 {
		return false, err
	}
	oldest := blocks[0]
	var disposable bool
	if err := tx.QueryRow(ctx, selectDisposable, oldest.First, oldest.End-1, before).Scan(&disposable); err != nil || !disposable {
		return false, err
	}
	if _, err := tx.Exec(ctx, insertDroppedBlock, oldest.First, oldest.End-1); err != nil {
		return false, fmt.Errorf("recording a dropped block: %w", err)
	}
	if _, err := tx.Exec(ctx, mergeDroppedBlocks, keepDropped); err != nil {
		return false, fmt.Errorf("recording a dropped block: %w", err)
	}
	if _, err := tx.Exec(ctx, `DROP TABLE `+oldest.Table); err != nil {
		return false, fmt.Errorf("dropping a block of the log: %w", err)
	}
	return true, nil
}
