package fold

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/zap"

	"telltale/modules/readings/chunk"
	"telltale/platform/postgres"
)

const updateRetention = `UPDATE log_state SET retention_days = $1 WHERE retention_days <> $1`

// errElsewhere says that another instance holds the fold lock: what was to be done is left for later.
var errElsewhere = errors.New("another instance is folding")

// thoroughness is how far the space of readings past their retention is given back.
type thoroughness bool

const (
	// lazily leaves alone what goes by itself: chunks in a month that is past its retention in part for every device, and
	// partitions of which little is free or which are still written to.
	lazily thoroughness = false
	// thoroughly deletes every chunk that is past its retention, and rewrites each partition that it has left a part of
	// free. It is for when an operator asks, or has changed a setting.
	thoroughly thoroughness = true
)

// enforceRetention gives the disk back that readings past their retention take: months that are past it for every device
// are dropped; else chunks are deleted, and partitions of which a large part is gone are rewritten. The error is
// errElsewhere when another instance is folding meanwhile. When the general setting is not the one recorded last, it works
// thoroughly.
func (f *Runner) enforceRetention(ctx context.Context, how thoroughness) error {
	tag, err := f.db.Exec(ctx, updateRetention, f.limits.RetentionDays)
	if err != nil {
		return fmt.Errorf("recording the retention: %w", err)
	}
	how = how || tag.RowsAffected() > 0
	oldest := f.retention.Oldest()
	if err := f.dropMonths(ctx, oldest); err != nil {
		return err
	}
	if err := f.deleteExpired(ctx, f.expired(oldest, how)); err != nil {
		return err
	}
	return f.rewriteSparse(ctx, how)
}

// expired returns the series of which chunks are to be deleted one by one.
func (f *Runner) expired(oldest int64, how thoroughness) (old expired) {
	if how == thoroughly {
		oldest = math.MinInt64
	}
	f.registry.EachRetention(func(id int32, days int) {
		if floor := f.retention.Floor(days); floor > oldest {
			old.series, old.floors = append(old.series, id), append(old.floors, chunk.UTC(floor))
		}
	})
	return old
}

// dropMonths drops the partitions of months and years that end at the instant given or before it, and empties the months before
// it of the year that it is in.
func (f *Runner) dropMonths(ctx context.Context, oldest int64) error {
	if oldest == math.MinInt64 {
		return nil
	}
	all, err := partitions(ctx, f.db)
	if err != nil {
		return err
	}
	for _, p := range all {
		switch {
		case p.first.UnixMilli() >= oldest:
		case p.end().UnixMilli() > oldest:
			err = f.trimYear(ctx, p, chunk.MonthSpan.Floor(oldest))
		default:
			err = f.dropPartition(ctx, p)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// dropPartition drops a partition that is past its retention.
func (f *Runner) dropPartition(ctx context.Context, p partition) error {
	// The days go first: should this be interrupted, the partition is still there and both are tried again.
	if err := f.deleteDays(ctx, p.end()); err != nil {
		return err
	}
	if err := f.patiently(ctx, func() error { return f.drop(ctx, p.name) }); err != nil {
		return err
	}
	f.logger.Info("dropped a partition past its retention", zap.String("partition", p.name))
	return nil
}

const (
	forgetSpace      = `DELETE FROM reading_space WHERE partition = ANY($1)`
	deleteDaysBefore = `DELETE FROM reading_days WHERE series_id >= $1 AND series_id < $2 AND start_at < $3`
)

// deleteDays deletes the statistics of days before the instant given, of some series at a time.
func (f *Runner) deleteDays(ctx context.Context, until time.Time) error {
	var end int32
	if err := f.db.QueryRow(ctx, selectEndOfSeries).Scan(&end); err != nil {
		return fmt.Errorf("looking for the last series: %w", err)
	}
	for id := int32(1); id < end; id += closeSeries {
		if _, err := f.db.Exec(ctx, deleteDaysBefore, id, id+closeSeries, until); err != nil {
			return fmt.Errorf("deleting the statistics of days: %w", err)
		}
	}
	return nil
}

func (f *Runner) drop(ctx context.Context, name string) error {
	return f.db.InTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, postgres.LimitWait); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DROP TABLE IF EXISTS `+name); err != nil {
			return fmt.Errorf("dropping a partition past its retention: %w", err)
		}
		_, err := tx.Exec(ctx, forgetSpace, []string{name})
		return err
	})
}

const patience = 20

// patiently tries again, a second apart, what could not get a lock in time, because a query was running.
func (f *Runner) patiently(ctx context.Context, try func() error) error {
	for attempt := 1; ; attempt++ {
		err := try()
		if !postgres.Is(err, postgres.LockNotAvailable) || attempt == patience {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

// expired are series, and from when on each one's readings are kept: parallel slices.
type expired struct {
	series []int32
	floors []time.Time
}

const (
	// deleteStep is how many chunks one statement deletes at most.
	deleteStep = 1000
	// expiredSeries is how many series one statement looks at.
	expiredSeries = 1000
)

const deleteExpiredChunks = `
WITH old AS (
	SELECT chunk.* FROM unnest($1::int[], $2::timestamptz[]) AS wanted (id, floor) CROSS JOIN LATERAL (
		SELECT series_id, start_at FROM reading_chunks
		WHERE series_id = wanted.id AND start_at < wanted.floor AND start_at + hours * interval '1 hour' <= wanted.floor
		ORDER BY start_at LIMIT $3
	) AS chunk LIMIT $3
), gone AS (
	DELETE FROM reading_chunks AS c USING old WHERE c.series_id = old.series_id AND c.start_at = old.start_at
	RETURNING c.tableoid, ` + chunkBytes + `
), noted AS (` + noteRemoved + `
)
SELECT count(*) FROM gone`

const deleteExpiredDays = `
DELETE FROM reading_days AS d USING unnest($1::int[], $2::timestamptz[]) AS wanted (id, floor)
WHERE d.series_id = wanted.id AND d.start_at + interval '24 hours' <= wanted.floor AND d.start_at < wanted.floor`

// deleteExpired deletes what is expired, a few chunks at a time.
func (f *Runner) deleteExpired(ctx context.Context, old expired) error {
	for len(old.series) > 0 {
		n := min(len(old.series), expiredSeries)
		for more := true; more; {
			err := f.underLock(ctx, func(tx pgx.Tx, mine bool) error {
				more = false
				if !mine {
					return errElsewhere
				}
				var deleted int
				err := tx.QueryRow(ctx, deleteExpiredChunks, old.series[:n], old.floors[:n], deleteStep).Scan(&deleted)
				if more = deleted == deleteStep; more || err != nil {
					return err
				}
				_, err = tx.Exec(ctx, deleteExpiredDays, old.series[:n], old.floors[:n])
				return err
			})
			if err != nil {
				return fmt.Errorf("deleting readings past their retention: %w", err)
			}
		}
		old = expired{slices.Clone(old.series[n:]), slices.Clone(old.floors[n:])}
	}
	return nil
}
