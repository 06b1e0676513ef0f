package batchlog

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// selectAtOrBefore finds the newest batch that was committed at $1 or before. There is no index by time: since stamps ascend with
// seqs, halving the log finds it by the primary key. Batches before low are known to be at or before the time, those
// from high on are known to be later.
const selectAtOrBefore = `
WITH RECURSIVE halves (low, high) AS (
	(SELECT seq, (SELECT max(seq) + 1 FROM reading_log) FROM reading_log ORDER BY seq LIMIT 1)
	UNION ALL
	SELECT CASE WHEN probe.committed_at <= $1 THEN middle.seq + 1 ELSE low END,
		CASE WHEN probe.committed_at <= $1 THEN high ELSE middle.seq END
	FROM halves
	CROSS JOIN LATERAL (SELECT low + (high - low) / 2 AS seq) AS middle
	CROSS JOIN LATERAL (SELECT committed_at FROM reading_log WHERE seq <= middle.seq ORDER BY seq DESC LIMIT 1) AS probe
	WHERE low < high
)
SELECT seq, committed_at FROM reading_log
WHERE seq < (SELECT low FROM halves WHERE low >= high LIMIT 1) ORDER BY seq DESC LIMIT 1`

// atOrBefore returns seq and stamp of the newest batch that the log table holds with that stamp or an older one; ok is false when
// there is none.
func (l *Log) atOrBefore(ctx context.Context, stamp int64) (seq, found int64, ok bool, err error) {
	var at time.Time
	err = l.db.QueryRow(ctx, selectAtOrBefore, TimeOf(stamp)).Scan(&seq, &at)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return 0, 0, false, nil
	case err != nil:
		return 0, 0, false, fmt.Errorf("looking for a position in the log: %w", err)
	}
	return seq, at.UnixMicro(), true, nil
}

// Location tells what a stamp that a client had means in this log.
type Location struct {
	// Known is set when it is the stamp of a batch of this log, or may be: of what was dropped nothing is known.
	Known bool
	// Before is the stamp of the newest batch that is not newer, 0 when there is none.
	Before int64
}

const selectMarks = `SELECT folded_at, (SELECT max(last_at) FROM log_blocks_dropped) FROM log_state`

// Locate looks for the batch that a stamp names.
func (l *Log) Locate(ctx context.Context, stamp int64) (p Location, err error) {
	if stamp == 0 {
		return Location{Known: true}, nil
	}
	_, found, ok, err := l.atOrBefore(ctx, stamp)
	if err != nil {
		return p, err
	}
	if ok && found == stamp {
		return Location{Known: true, Before: stamp}, nil
	}
	var folded, dropped *time.Time
	if err := l.db.QueryRow(ctx, selectMarks).Scan(&folded, &dropped); err != nil {
		return p, fmt.Errorf("looking for a position in the log: %w", err)
	}
	p.Before = found
	for _, mark := range []int64{stampOf(folded), stampOf(dropped)} {
		if mark <= stamp {
			p.Before = max(p.Before, mark)
		}
	}
	p.Known = p.Before == stamp || stamp < stampOf(dropped)
	return p, nil
}

// Seek returns the stamp after which the batches committed at that time or later come. whole is false when some of them may
// be gone.
func (l *Log) Seek(ctx context.Context, at time.Time) (after int64, whole bool, err error) {
	_, after, ok, err := l.atOrBefore(ctx, at.UnixMicro()-1)
	if err != nil || ok {
		return after, ok, err
	}
	var folded, dropped *time.Time
	if err := l.db.QueryRow(ctx, selectMarks).Scan(&folded, &dropped); err != nil {
		return 0, false, fmt.Errorf("looking for a position in the log: %w", err)
	}
	if dropped != nil {
		return stampOf(dropped), false, nil
	}
	return 0, true, nil
}

const selectExtent = `
SELECT coalesce(min(min_ts), 0), coalesce(max(max_ts), 0) FROM (
	SELECT min_ts, max_ts FROM reading_log WHERE seq > $1 AND committed_at <= $3 AND count > 0
	UNION ALL
	SELECT min_ts, max_ts FROM log_blocks_dropped WHERE last_at > $2 AND last_at <= $3
) AS batches`

// Extent tells of the batches in (after, last], which are stamps, when their readings were taken, both instants included; zeros
// when there are none.
func (l *Log) Extent(ctx context.Context, after, last int64) (m Missing, err error) {
	m.FirstStamp, m.LastStamp = after+1, last
	seq, _, _, err := l.atOrBefore(ctx, after)
	if err != nil {
		return m, err
	}
	if err := l.db.QueryRow(ctx, selectExtent, seq, TimeOf(after), TimeOf(last)).Scan(&m.MinTS, &m.MaxTS); err != nil {
		return m, fmt.Errorf("reading what a part of the log is about: %w", err)
	}
	return m, nil
}

// ReadAfter is Read from a stamp on. What of the log is missing there is not noticed; see Missing.
func (l *Log) ReadAfter(ctx context.Context, stamp int64, readings int) ([]*Batch, error) {
	seq, _, _, err := l.atOrBefore(ctx, stamp)
	if err != nil {
		return nil, err
	}
	return l.Read(ctx, seq, readings)
}
