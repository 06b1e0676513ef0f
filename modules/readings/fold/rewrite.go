package fold

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/zap"

	"telltale/platform/postgres"
)

// restTime is for how long no chunk of a month may have been written when it is rewritten. Maintenance comes right after
// a fold, so a month into which every fold brings readings is never at rest, however far apart folds are.
const restTime = time.Hour

// A partition of which 30 % have been deleted or overwritten is rewritten, once its month is over and at rest. Until then
// what is free in it is used again, unless that much was of devices that have been deleted. When disk is asked for ($2), a
// tenth is enough, and no month is waited for.
const selectSparse = `
SELECT partition FROM reading_space, log_state
WHERE removed >= CASE WHEN $2 THEN 0.1 ELSE 0.3 END * pg_total_relation_size(to_regclass(partition))
	AND ($2 OR partition < to_char(closed_until AT TIME ZONE 'UTC', '"reading_chunks_"YYYY_MM')
			AND coalesce(written_at <= $1, true)
		OR lost >= 0.3 * pg_total_relation_size(to_regclass(partition)))
ORDER BY partition LIMIT 1`

// rewriteSparse rewrites the partitions of which a large part is free, because that is the only way in which PostgreSQL
// gives their space back without keeping everyone from reading for long. When a fold is due it leaves the others for later.
//
// What it writes is bounded: nothing while folds come back to a month, so that a backfill has each month written once when it
// has ended or pauses for restTime; and never more than 1/0.3 times what has been deleted or overwritten before, ten
// times when disk is asked for.
func (f *Runner) rewriteSparse(ctx context.Context, how thoroughness) error {
	for more := true; more; {
		err := f.underLock(ctx, func(tx pgx.Tx, mine bool) error {
			if more = false; !mine {
				return errElsewhere
			}
			var name string
			err := tx.QueryRow(ctx, selectSparse, f.now().Add(-restTime), bool(how)).Scan(&name)
			if errors.Is(err, pgx.ErrNoRows) {
				return nil
			}
			if err != nil {
				return fmt.Errorf("looking for a partition to rewrite: %w", err)
			}
			if err := f.rewrite(ctx, tx, name); err != nil {
				return fmt.Errorf("rewriting %s: %w", name, err)
			}
			more = !f.full()
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// rewrite replaces a partition by a copy of itself.
func (f *Runner) rewrite(ctx context.Context, tx pgx.Tx, name string) error {
	p, ok := partitionOf(name)
	if !ok {
		return fmt.Errorf("%s is no partition of chunks", name)
	}
	return f.replace(ctx, tx, []string{name}, p)
}

// replace replaces partitions by one that has their chunks. Folds wait while it copies, reading goes on; the exchange itself waits
// for the queries that run, in short attempts between which others may begin. A query that begins afterwards is planned for the
// new partition, because nothing can be planned during the exchange.
func (f *Runner) replace(ctx context.Context, tx pgx.Tx, old []string, p partition) error {
	from, to := p.bounds()
	fresh := p.name + "_new"
	err := execAll(ctx, tx,
		fmt.Sprintf(`CREATE TABLE %s (LIKE reading_chunks INCLUDING ALL)`, fresh),
		fmt.Sprintf(`INSERT INTO %s SELECT * FROM reading_chunks WHERE start_at >= '%s' AND start_at < '%s' ORDER BY series_id, start_at`, fresh, from, to),
		// With this check attaching does not have to read the table under the lock.
		fmt.Sprintf(`ALTER TABLE %s ADD CONSTRAINT bounds CHECK (start_at >= '%s' AND start_at < '%s')`, fresh, from, to),
	)
	if err != nil {
		return err
	}
	if err := f.patiently(ctx, func() error { return lockExclusively(ctx, tx, old) }); err != nil {
		return err
	}
	for _, name := range old {
		err := execAll(ctx, tx, fmt.Sprintf(`ALTER TABLE reading_chunks DETACH PARTITION %s`, name), fmt.Sprintf(`DROP TABLE %s`, name))
		if err != nil {
			return err
		}
	}
	err = execAll(ctx, tx,
		fmt.Sprintf(`ALTER TABLE %s RENAME TO %s`, fresh, p.name),
		fmt.Sprintf(`ALTER TABLE reading_chunks ATTACH PARTITION %s FOR VALUES FROM ('%s') TO ('%s')`, p.name, from, to),
		fmt.Sprintf(`ALTER TABLE %s DROP CONSTRAINT bounds`, p.name),
	)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, forgetSpace, old); err != nil {
		return err
	}
	f.logger.Info("wrote a partition of chunks again", zap.String("partition", p.name), zap.Strings("of", old))
	return nil
}

// lockExclusively makes one short attempt at the lock that exchanging a partition takes. When it fails, the transaction can
// go on.
func lockExclusively(ctx context.Context, tx pgx.Tx, names []string) error {
	attempt, err := tx.Begin(ctx)
	if err != nil {
		return err
	}
	if err = execAll(ctx, attempt, postgres.LimitWait, `LOCK TABLE ONLY reading_chunks, `+strings.Join(names, ", ")+` IN ACCESS EXCLUSIVE MODE`); err == nil {
		return attempt.Commit(ctx)
	}
	if postgres.Is(err, postgres.LockNotAvailable) {
		return errors.Join(err, attempt.Rollback(ctx))
	}
	return err
}

func execAll(ctx context.Context, tx pgx.Tx, statements ...string) error {
	for _, statement := range statements {
		if _, err := tx.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}
