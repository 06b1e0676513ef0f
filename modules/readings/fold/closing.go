package fold

import (
	"context"
	"fmt"
	"time"

	"telltale/modules/readings/chunk"

	"github.com/jackc/pgx/v5"
)

// closeGrace is how long after its end a day or month counts as over, so that most of its readings are there.
const closeGrace = time.Hour

const (
	selectClosed = `SELECT (extract(epoch FROM closed_until) * 1000)::bigint FROM log_state`
	updateClosed = `UPDATE log_state SET closed_until = $1`
)

// selectClosingChunks are those of every day given of a range of series. Series are joined one by one, each by the primary key
// of chunks.
const selectClosingChunks = `
WITH wanted AS (
	SELECT id, at FROM series, unnest($5::timestamptz[]) AS at WHERE id >= $1 AND id < $2
)` + dayChunks

const selectSmallMonths = `
SELECT id, (extract(epoch FROM $4::timestamptz) * 1000)::bigint FROM series CROSS JOIN LATERAL (
	SELECT sum(count) AS count FROM reading_days WHERE series_id = id AND start_at >= $4 AND start_at < $5
) AS month
WHERE id >= $1 AND id < $2 AND month.count <= $3`

// closeSeries is how many series one statement about days concerns.
const closeSeries = 10_000

const selectEndOfSeries = `SELECT coalesce(max(id), 0) + 1 FROM series`

// CloseDays records the statistics of the days that are over by now, and packs the chunks of days and months with few
// readings. When another instance is folding it returns at once without an error.
func (f *Runner) CloseDays(ctx context.Context) error {
	target := chunk.DaySpan.Floor(f.now().Add(-closeGrace).UnixMilli())
	for done := false; !done; {
		err := f.underLock(ctx, func(tx pgx.Tx, mine bool) error {
			p, err := f.newPlacer(ctx, tx)
			if done = !mine || err != nil || p.closed >= target; done {
				return err
			}
			// A month at a time bounds a transaction that makes up for a long absence.
			_, end := chunk.MonthSpan.Region(p.closed)
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
	for at := p.closed; at < until; at += chunk.Day {
		days = append(days, chunk.UTC(at))
	}
	since := p.closed
	p.closed = until
	var end int32
	if err := p.tx.QueryRow(ctx, selectEndOfSeries).Scan(&end); err != nil {
		return err
	}
	for id := int32(1); id < end; id += closeSeries {
		if err := p.closeSome(ctx, id, id+closeSeries, chunk.UTC(since), chunk.UTC(until), days); err != nil {
			return err
		}
		if month, end := chunk.MonthSpan.Region(since); end == until {
			err := p.packAll(ctx, chunk.MonthSpan, selectSmallMonths, id, id+closeSeries, p.pack.month, chunk.UTC(month), chunk.UTC(end))
			if err != nil {
				return err
			}
		}
	}
	_, err := p.tx.Exec(ctx, updateClosed, chunk.UTC(until))
	return err
}

// closeSome writes the statistics of the days of some series, and packs those days that have few readings in several chunks.
func (p *placer) closeSome(ctx context.Context, from, to int32, since, until time.Time, starts []time.Time) error {
	days, err := addDays(ctx, p.tx, selectClosingChunks, from, to, since, until, starts)
	if err != nil {
		return err
	}
	for _, d := range days {
		if d.chunks < 2 || d.Count > int64(p.pack.day) {
			continue
		}
		if err := p.add(ctx, addition{Slot: chunk.DaySpan.Slot(d.series, d.start)}); err != nil {
			return err
		}
	}
	return p.flush(ctx)
}

// packAll makes one chunk of each slot of which the query returns series and start. It has them all in memory.
func (p *placer) packAll(ctx context.Context, s chunk.Span, query string, args ...any) error {
	rows, err := p.tx.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	small, err := pgx.CollectRows(rows, pgx.RowToStructByPos[packable])
	if err != nil {
		return err
	}
	for _, one := range small {
		if err := p.add(ctx, addition{Slot: s.Slot(one.Series, one.Start)}); err != nil {
			return err
		}
	}
	return p.flush(ctx)
}

// packable is a slot with several chunks and few readings.
type packable struct {
	Series int32
	Start  int64
}
