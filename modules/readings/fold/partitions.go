package fold

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"telltale/modules/readings/batchlog"
	"telltale/modules/readings/chunk"

	"github.com/jackc/pgx/v5"
)

const (
	// monthLayout is the name of a month's partition, boundLayout the text of an instant in UTC: layouts of package time.
	monthLayout = "reading_chunks_2006_01"
	boundLayout = "2006-01-02 15:04:05+00"
)

// monthTable returns the name of the partition that holds the chunks of the month which starts at the instant given.
func monthTable(month int64) string { return chunk.UTC(month).Format(monthLayout) }

// monthsAhead is how far ahead of time the partition of the next month is made.
const monthsAhead = 7 * 24 * time.Hour

// monthsAtOnce is how many partitions are made in one transaction.
const monthsAtOnce = 24

// ensureMonths makes the partitions that the view's readings need, and that of the next month in time. It is not ready when
// another instance is folding: by the time that one has ended, the partitions would still not be there.
//
// It commits before the fold begins: statements that are planned after that find the partitions.
func (f *Runner) ensureMonths(ctx context.Context, recent batchlog.View) (ready bool, err error) {
	now := f.now()
	months := map[int64]bool{chunk.MonthSpan.Floor(now.UnixMilli()): true, chunk.MonthSpan.Floor(now.Add(monthsAhead).UnixMilli()): true}
	var start, end int64
	oldest := f.retention.Oldest()
	folded := f.window.Stats().Folded
	for _, b := range recent.BatchesAfter(folded) {
		for _, ts := range b.TS {
			if ts >= oldest && (ts < start || ts >= end) {
				start, end = chunk.MonthSpan.Region(ts)
				months[start] = true
			}
		}
	}
	// A few at a time, because all that a transaction makes stays locked until its end, and the server has room for few locks.
	for some := range slices.Chunk(slices.Sorted(maps.Keys(months)), monthsAtOnce) {
		err := f.underLock(ctx, func(tx pgx.Tx, mine bool) error {
			if ready = mine; !mine {
				return nil
			}
			return attachMonths(ctx, tx, some)
		})
		if err != nil || !ready {
			return false, err
		}
	}
	return true, nil
}

const selectMissingMonths = `
SELECT name FROM unnest($1::text[]) AS name WHERE to_regclass(name) IS NULL`

// countMonths lets a query notice that it may have been planned without the newest partitions.
const countMonths = `UPDATE log_state SET months = months + $1`

// attachMonths makes the partitions of the months given, by their starts, that do not exist yet. Attaching locks out neither
// readers nor writers. The caller holds the fold lock.
func attachMonths(ctx context.Context, tx pgx.Tx, months []int64) error {
	names := make([]string, len(months))
	for i, month := range months {
		names[i] = monthTable(month)
	}
	rows, err := tx.Query(ctx, selectMissingMonths, names)
	if err != nil {
		return err
	}
	missing, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, name := range missing {
		first, err := time.Parse(monthLayout, name)
		if err != nil {
			return err
		}
		if err := attachMonth(ctx, tx, name, first); err != nil {
			return err
		}
	}
	if len(missing) > 0 {
		_, err = tx.Exec(ctx, countMonths, len(missing))
	}
	return err
}

func attachMonth(ctx context.Context, tx pgx.Tx, name string, first time.Time) error {
	return execAll(ctx, tx,
		fmt.Sprintf(`CREATE TABLE %s (LIKE reading_chunks INCLUDING ALL)`, name),
		fmt.Sprintf(`ALTER TABLE reading_chunks ATTACH PARTITION %s FOR VALUES FROM ('%s') TO ('%s')`,
			name, first.Format(boundLayout), first.AddDate(0, 1, 0).Format(boundLayout)),
	)
}
