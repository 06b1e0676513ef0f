package fold

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"telltale/modules/readings/chunk"
)

const (
	// yearGrace is how long after its end the months of a year become one partition. By then hardly a reading comes late.
	yearGrace = 31 * 24 * time.Hour
	// yearBytes is how much they may take on disk, so that folds do not wait long while they are copied, and only little is kept
	// that is past its retention.
	yearBytes = 256 << 20
)

// A year is over and at rest when its months are, and has at least two. One that retention reaches within a year ($4) stays
// months, which are dropped one by one.
const selectMergeable = `
SELECT left(c.relname, -3) FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
LEFT JOIN reading_space ON partition = c.relname CROSS JOIN log_state
WHERE i.inhparent = 'reading_chunks'::regclass AND c.relname ~ '^reading_chunks_\d{4}_\d\d$'
	AND left(c.relname, -3) < to_char((closed_until - $1::interval) AT TIME ZONE 'UTC', '"reading_chunks_"YYYY')
	AND left(c.relname, -3) > $4
GROUP BY 1
HAVING count(*) > 1 AND sum(pg_total_relation_size(c.oid)) <= $2 AND coalesce(max(written_at) <= $3, true)
ORDER BY 1 LIMIT 1`

// mergeYears makes one partition of the months of each year that has been over for a while, if they are small: PostgreSQL plans
// for every partition, whatever is in it. When a fold is due it leaves the other years for later.
//
// Each reading is written once more by that, since a partition that has come to be is never divided.
func (f *Runner) mergeYears(ctx context.Context) error {
	soon := ""
	if oldest := f.retention.Oldest(); oldest != math.MinInt64 {
		soon = chunk.UTC(oldest).AddDate(1, 0, 0).Format(yearLayout)
	}
	for more := true; more; {
		err := f.underLock(ctx, func(tx pgx.Tx, mine bool) error {
			if more = false; !mine {
				return errElsewhere
			}
			var name string
			err := tx.QueryRow(ctx, selectMergeable, yearGrace, int64(yearBytes), f.now().Add(-restTime), soon).Scan(&name)
			if errors.Is(err, pgx.ErrNoRows) {
				return nil
			}
			if err != nil {
				return fmt.Errorf("looking for a year to make one partition of: %w", err)
			}
			more = !f.full()
			return f.mergeYear(ctx, tx, name)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (f *Runner) mergeYear(ctx context.Context, tx pgx.Tx, name string) error {
	year, ok := partitionOf(name)
	if !ok {
		return fmt.Errorf("%s is no partition of chunks", name)
	}
	all, err := partitions(ctx, tx)
	if err != nil {
		return err
	}
	var months []string
	for _, p := range all {
		if p.first.Year() == year.first.Year() {
			months = append(months, p.name)
		}
	}
	return f.replace(ctx, tx, months, year)
}

const deleteBefore = `
WITH gone AS (
	DELETE FROM %s WHERE start_at < $1 RETURNING tableoid, ` + chunkBytes + `
), noted AS (` + noteRemoved + `
)
SELECT count(*) FROM gone`

// trimYear deletes the months before the one that starts at the instant given from the partition of their year, if it is one.
func (f *Runner) trimYear(ctx context.Context, p partition, month int64) error {
	if !p.year || f.trimmed.Load() == month {
		return nil
	}
	until := chunk.UTC(month)
	if err := f.deleteDays(ctx, until); err != nil {
		return err
	}
	err := f.underLock(ctx, func(tx pgx.Tx, mine bool) error {
		if !mine {
			return errElsewhere
		}
		_, err := tx.Exec(ctx, fmt.Sprintf(deleteBefore, p.name), until)
		return err
	})
	if err != nil {
		return fmt.Errorf("deleting months past their retention: %w", err)
	}
	f.trimmed.Store(month)
	return nil
}
