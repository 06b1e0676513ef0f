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
	// monthLayout is the name of a month's partition, yearLayout that of a year's, boundLayout the text of an instant in UTC:
	// layouts of package time.
	monthLayout = "reading_chunks_2006_01"
	yearLayout  = "reading_chunks_2006"
	boundLayout = "2006-01-02 15:04:05+00"
)

// monthTable returns the name that the partition of the month which starts at the instant given has, unless its year is one.
func monthTable(month int64) string { return chunk.UTC(month).Format(monthLayout) }

// partition is a table that holds the chunks of a calendar month or year, in UTC.
type partition struct {
	name  string
	first time.Time
	year  bool
}

// partitionOf returns the partition with the name given; ok is false when it is none.
func partitionOf(name string) (p partition, ok bool) {
	if first, err := time.Parse(monthLayout, name); err == nil {
		return partition{name: name, first: first}, true
	}
	first, err := time.Parse(yearLayout, name)
	return partition{name: name, first: first, year: true}, err == nil
}

// end returns the instant at which the next partition begins.
func (p partition) end() time.Time {
	if p.year {
		return p.first.AddDate(1, 0, 0)
	}
	return p.first.AddDate(0, 1, 0)
}

// bounds returns the text of first and end.
func (p partition) bounds() (from, to string) {
	return p.first.Format(boundLayout), p.end().Format(boundLayout)
}

const selectPartitions = `
SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'reading_chunks'::regclass ORDER BY c.relname`

// rowsSource is a pool or a transaction.
type rowsSource interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// partitions returns the partitions of chunks, in order of time.
func partitions(ctx context.Context, db rowsSource) (found []partition, err error) {
	rows, err := db.Query(ctx, selectPartitions)
	if err != nil {
		return nil, fmt.Errorf("listing the partitions of chunks: %w", err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("listing the partitions of chunks: %w", err)
	}
	for _, name := range names {
		if p, ok := partitionOf(name); ok {
			found = append(found, p)
		}
	}
	return found, nil
}

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

// A year that is one partition has the name of its months without their last part.
const selectMissingMonths = `
SELECT name FROM unnest($1::text[]) AS name WHERE to_regclass(name) IS NULL AND to_regclass(left(name, -3)) IS NULL`

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
		p, _ := partitionOf(name)
		if err := attach(ctx, tx, p); err != nil {
			return err
		}
	}
	if len(missing) > 0 {
		_, err = tx.Exec(ctx, countMonths, len(missing))
	}
	return err
}

func attach(ctx context.Context, tx pgx.Tx, p partition) error {
	from, to := p.bounds()
	return execAll(ctx, tx,
		fmt.Sprintf(`CREATE TABLE %s (LIKE reading_chunks INCLUDING ALL)`, p.name),
		fmt.Sprintf(`ALTER TABLE reading_chunks ATTACH PARTITION %s FOR VALUES FROM ('%s') TO ('%s')`, p.name, from, to),
	)
}
