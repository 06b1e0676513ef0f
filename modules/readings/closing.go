package readings

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// closeGrace is how long after its end a day or month counts as over, so that most of its readings are there.
const closeGrace = time.Hour

const (
	selectClosed = `SELECT (extract(epoch FROM closed_until) * 1000)::bigint FROM log_state`
	updateClosed = `UPDATE log_state SET closed_until = $1`
)

// Days with several chunks and few readings are returned, so that they can be packed. Series are joined one by one, each by
// the primary key of chunks.
const insertDays = `
WITH wanted AS (
	SELECT id, at FROM series, unnest($4::timestamptz[]) AS at WHERE id >= $1 AND id < $2
), days AS (
	SELECT wanted.id AS series_id, wanted.at AS start_at, chunk.*
	FROM wanted CROSS JOIN LATERAL (
		SELECT count(*) AS chunks, sum(count) AS count, min(min) AS min, max(max) AS max, sum(sum ORDER BY start_at) AS sum,
			(array_agg(first ORDER BY start_at))[1] AS first, (array_agg(last ORDER BY start_at DESC))[1] AS last
		FROM reading_chunks
		WHERE series_id = wanted.id AND start_at >= wanted.at AND start_at < wanted.at + interval '24 hours'
			AND start_at >= $5 AND start_at < $6
	) AS chunk
	WHERE chunk.chunks > 0
), inserted AS (
	INSERT INTO reading_days (series_id, start_at, count, min, max, sum, first, last)
	SELECT series_id, start_at, count, min, max, sum, first, last FROM days
)
SELECT series_id, (extract(epoch FROM start_at) * 1000)::bigint FROM days WHERE chunks > 1 AND count <= $3`

const selectSmallMonths = `
SELECT id, (extract(epoch FROM $4::timestamptz) * 1000)::bigint FROM series CROSS JOIN LATERAL (
	SELECT sum(count) AS count FROM reading_days WHERE series_id = id AND start_at >= $4 AND start_at < $5
) AS month
WHERE id >= $1 AND id < $2 AND month.count <= $3`

// closeSeries is how many series one statement about days concerns.
const closeSeries = 10_000

const selectEndOfSeries = `SELECT coalesce(max(id), 0) + 1 FROM series`

// closeDays records the statistics of the days that are over by now, and packs the chunks of days and months with few
// readings. When another instance is folding it returns at once without an error.
func (f *Folder) closeDays(ctx context.Context) error {
	target := daySpan.floor(f.now().Add(-closeGrace).UnixMilli())
	for done := false; !done; {
		err := f.underLock(ctx, func(tx pgx.Tx, mine bool) error {
			p, err := f.newPlacer(ctx, tx)
			if done = !mine || err != nil || p.closed >= target; done {
				return err
			}
			// A month at a time bounds a transaction that makes up for a long absence.
			_, end := monthSpan.region(p.closed)
			return p.close(ctx, min(target, end))
		})
		if err != nil {
			return fmt.Errorf("closing the days that are over: %w", err)
		}
	}
	return nil
}

// close makes until, which is not behind the end of a month, what counts as closed.
func (p *placer) close(ctx context.Context, until int64) error {
	var days []time.Time
	for at := p.closed; at < until; at += day {
		days = append(days, millis(at))
	}
	since := p.closed
	p.closed = until
	var end int32
	if err := p.tx.QueryRow(ctx, selectEndOfSeries).Scan(&end); err != nil {
		return err
	}
	for id := int32(1); id < end; id += closeSeries {
		if err := p.packAll(ctx, daySpan, insertDays, id, id+closeSeries, p.pack, days, millis(since), millis(until)); err != nil {
			return err
		}
		if month, end := monthSpan.region(since); end == until {
			err := p.packAll(ctx, monthSpan, selectSmallMonths, id, id+closeSeries, p.pack, millis(month), millis(end))
			if err != nil {
				return err
			}
		}
	}
	_, err := p.tx.Exec(ctx, updateClosed, millis(until))
	return err
}

// packAll makes one chunk of each unit of which the query returns series and start. It has them all in memory.
func (p *placer) packAll(ctx context.Context, s span, query string, args ...any) error {
	rows, err := p.tx.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	small, err := pgx.CollectRows(rows, pgx.RowToStructByPos[packable])
	if err != nil {
		return err
	}
	for _, one := range small {
		if err := p.add(ctx, addition{unit: s.unit(one.Series, one.Start)}); err != nil {
			return err
		}
	}
	return p.flush(ctx)
}

// packable is a unit with several chunks and few readings.
type packable struct {
	Series int32
	Start  int64
}
