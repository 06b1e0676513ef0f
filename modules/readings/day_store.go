package readings

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// statistics collects the days whose statistics have changed because chunks have.
type statistics struct {
	days   map[chunkKey]bool
	months map[chunkKey]bool // months that are one chunk now
}

// note takes into account that the chunk of a unit which is over was written.
func (s *statistics) note(u unit) {
	if u.span == monthSpan {
		if s.months == nil {
			s.months = map[chunkKey]bool{}
		}
		s.months[u.key()] = true
		return
	}
	if s.days == nil {
		s.days = map[chunkKey]bool{}
	}
	s.days[chunkKey{u.series, daySpan.floor(u.start)}] = true
}

// summariseChunks makes the statistics of the days in the relation wanted (id, at) from their chunks' own. Sums are made in order
// of time, so that their last digits do not depend on a plan.
const summariseChunks = `
SELECT wanted.id AS series_id, wanted.at AS start_at, sum(count) AS count, min(min) AS min, max(max) AS max,
	sum(sum ORDER BY chunk.start_at) AS sum, (array_agg(first ORDER BY chunk.start_at))[1] AS first,
	(array_agg(last ORDER BY chunk.start_at DESC))[1] AS last
FROM wanted CROSS JOIN LATERAL (
	SELECT start_at, count, min, max, sum, first, last FROM reading_chunks
	WHERE series_id = wanted.id AND start_at >= wanted.at AND start_at < wanted.at + interval '24 hours'
		AND start_at >= $3 AND start_at < $4
	ORDER BY start_at
) AS chunk
GROUP BY wanted.id, wanted.at`

const upsertDays = `
WITH wanted AS (SELECT * FROM unnest($1::int[], $2::timestamptz[]) AS wanted (id, at))
INSERT INTO reading_days (series_id, start_at, count, min, max, sum, first, last)` + summariseChunks + `
ON CONFLICT (series_id, start_at) DO UPDATE SET count = excluded.count, min = excluded.min, max = excluded.max,
	sum = excluded.sum, first = excluded.first, last = excluded.last`

const deleteDaysOfMonths = `
DELETE FROM reading_days USING unnest($1::int[], $2::timestamptz[], $3::timestamptz[]) AS month (id, since, until)
WHERE series_id = month.id AND start_at >= month.since AND start_at < month.until`

// write brings the table of days up to date.
func (s *statistics) write(ctx context.Context, tx pgx.Tx) error {
	if len(s.days) > 0 {
		var series []int32
		var starts []time.Time
		least, most := int64(maxTS), int64(minTS)
		for key := range s.days {
			series, starts = append(series, key.series), append(starts, millis(key.start))
			least, most = min(least, key.start), max(most, key.start+day)
		}
		if _, err := tx.Exec(ctx, upsertDays, series, starts, millis(least), millis(most)); err != nil {
			return fmt.Errorf("writing the statistics of days: %w", err)
		}
	}
	if len(s.months) > 0 {
		var series []int32
		var since, until []time.Time
		for key := range s.months {
			_, end := monthSpan.region(key.start)
			series, since, until = append(series, key.series), append(since, millis(key.start)), append(until, millis(end))
		}
		if _, err := tx.Exec(ctx, deleteDaysOfMonths, series, since, until); err != nil {
			return fmt.Errorf("removing the statistics of days: %w", err)
		}
	}
	return nil
}

const deleteDaysOfSeries = `DELETE FROM reading_days WHERE series_id = ANY($1)`
