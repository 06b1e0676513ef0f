package readings

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

const selectPlace = `SELECT seq, committed_at FROM reading_log WHERE seq >= $1 ORDER BY seq LIMIT 1`

// Seek returns the seq after which the batches committed at that time or later come. whole is false when some of them may
// be gone. Commits are in the order of time as far as the database server's clock never goes back.
func (l *Log) Seek(ctx context.Context, at time.Time) (after int64, whole bool, err error) {
	state, err := l.State(ctx)
	if err != nil {
		return 0, false, err
	}
	first, committed, err := l.place(ctx, 0)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return state.Head, state.Head == 0, nil
	case err != nil:
		return 0, false, err
	case !committed.Before(at):
		return first - 1, first == 1, nil
	}
	// The batch low is before the time; none from high on is.
	low, high := first, state.Head+1
	for high-low > 1 {
		seq, committed, err := l.place(ctx, low+(high-low)/2)
		switch {
		case errors.Is(err, pgx.ErrNoRows): // a block has just been dropped
			return state.Head, false, nil
		case err != nil:
			return 0, false, err
		case committed.Before(at):
			low = seq
		default:
			high = low + (high-low)/2
		}
	}
	return high - 1, true, nil
}

// place returns the first batch with that seq or a later one.
func (l *Log) place(ctx context.Context, seq int64) (found int64, committed time.Time, err error) {
	err = l.db.QueryRow(ctx, selectPlace, seq).Scan(&found, &committed)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		err = fmt.Errorf("looking for a place in the log: %w", err)
	}
	return found, committed, err
}

const selectExtent = `
SELECT coalesce(min(min_ts), 0), coalesce(max(max_ts), 0) FROM (
	SELECT min_ts, max_ts FROM reading_log WHERE seq > $1 AND seq <= $2 AND count > 0
	UNION ALL
	SELECT min_ts, max_ts FROM log_blocks_dropped WHERE last_seq > $1 AND first_seq <= $2
) AS batches`

// Extent tells of the batches in (after, last] when their readings were taken, both instants included; zeros when there are
// none.
func (l *Log) Extent(ctx context.Context, after, last int64) (m Missing, err error) {
	m.FirstSeq, m.LastSeq = after+1, last
	if err := l.db.QueryRow(ctx, selectExtent, after, last).Scan(&m.MinTS, &m.MaxTS); err != nil {
		return m, fmt.Errorf("reading what a part of the log is about: %w", err)
	}
	return m, nil
}
