package fold

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"time"

	"telltale/modules/readings/chunk"

	"github.com/jackc/pgx/v5"
)

// statistics collects the days whose statistics have changed because chunks have.
type statistics struct {
	days   map[chunkKey]bool
	months map[chunkKey]bool // months that are one chunk now
}

// note takes into account that the chunk of a slot which is over was written.
func (s *statistics) note(u chunk.Slot) {
	if u.Span == chunk.MonthSpan {
		if s.months == nil {
			s.months = map[chunkKey]bool{}
		}
		s.months[keyOf(u)] = true
		return
	}
	if s.days == nil {
		s.days = map[chunkKey]bool{}
	}
	s.days[chunkKey{u.Series, chunk.DaySpan.Floor(u.Start)}] = true
}

// selectDayChunks and dayChunks read the statistics of the chunks of days, those in the relation wanted (id, at), in the order
// that addDays needs. $3 and $4 bound every chunk.
const dayChunks = `
SELECT wanted.id, wanted.at, count, min, max, sum, sum_rest, first, last
FROM wanted CROSS JOIN LATERAL (
	SELECT start_at, count, min, max, sum, sum_rest, first, last FROM reading_chunks
	WHERE series_id = wanted.id AND start_at >= wanted.at AND start_at < wanted.at + interval '24 hours'
		AND start_at >= $3 AND start_at < $4
	ORDER BY start_at
) AS chunk
ORDER BY wanted.id, wanted.at, chunk.start_at`

const selectDayChunks = `
WITH wanted AS (SELECT * FROM unnest($1::int[], $2::timestamptz[]) AS wanted (id, at))` + dayChunks

const upsertDays = `
INSERT INTO reading_days (series_id, start_at, count, min, max, sum, sum_rest, first, last)
SELECT * FROM unnest($1::int[], $2::timestamptz[], $3::int[], $4::float8[], $5::float8[], $6::float8[], $7::float8[], $8::float8[], $9::float8[])
ON CONFLICT (series_id, start_at) DO UPDATE SET count = excluded.count, min = excluded.min, max = excluded.max,
	sum = excluded.sum, sum_rest = excluded.sum_rest, first = excluded.first, last = excluded.last`

// dayRows are days with their statistics, as columns of upsertDays.
type dayRows struct {
	series                           []int32
	starts                           []time.Time
	count                            []int32
	min, max, sum, rest, first, last []float64
}

// addDays writes the statistics of days from those of their chunks, which the query answers, and returns how many chunks each
// day has and how many readings. PostgreSQL's own sums would round, and fail where they leave the range of a float8.
func addDays(ctx context.Context, tx pgx.Tx, query string, args ...any) ([]dayOfChunks, error) {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var days []dayOfChunks
	for rows.Next() {
		raw := rows.RawValues()
		if len(raw) != 9 || len(raw[0]) != 4 || len(raw[1]) != 8 {
			return nil, chunk.ErrMalformed
		}
		key := chunkKey{int32(binary.BigEndian.Uint32(raw[0])), chunk.ParseTimestamp(raw[1])}
		if n := len(days); n == 0 || days[n-1].chunkKey != key {
			days = append(days, dayOfChunks{chunkKey: key})
		}
		last := &days[len(days)-1]
		last.Merge(chunk.ParseStatistics(raw[2:]))
		last.chunks++
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	return days, writeDays(ctx, tx, days)
}

// dayOfChunks is a series' day, and of how many chunks it is made.
type dayOfChunks struct {
	chunkKey
	chunk.Statistics
	chunks int
}

// writeDaysAtOnce is how many days one statement writes.
const writeDaysAtOnce = 10_000

func writeDays(ctx context.Context, tx pgx.Tx, days []dayOfChunks) error {
	for part := range slices.Chunk(days, writeDaysAtOnce) {
		var r dayRows
		for _, d := range part {
			r.series, r.starts, r.count = append(r.series, d.series), append(r.starts, chunk.UTC(d.start)), append(r.count, int32(d.Count))
			r.min, r.max, r.first, r.last = append(r.min, d.Min), append(r.max, d.Max), append(r.first, d.First), append(r.last, d.Last)
			r.sum, r.rest = append(r.sum, d.Sum.High), append(r.rest, d.Sum.Low)
		}
		if _, err := tx.Exec(ctx, upsertDays, r.series, r.starts, r.count, r.min, r.max, r.sum, r.rest, r.first, r.last); err != nil {
			return err
		}
	}
	return nil
}

const deleteDaysOfMonths = `
DELETE FROM reading_days USING unnest($1::int[], $2::timestamptz[], $3::timestamptz[]) AS month (id, since, until)
WHERE series_id = month.id AND start_at >= month.since AND start_at < month.until`

// write brings the table of days up to date.
func (s *statistics) write(ctx context.Context, tx pgx.Tx) error {
	if len(s.days) > 0 {
		var series []int32
		var starts []time.Time
		least, most := int64(math.MaxInt64), int64(math.MinInt64)
		for key := range s.days {
			series, starts = append(series, key.series), append(starts, chunk.UTC(key.start))
			least, most = min(least, key.start), max(most, key.start+chunk.Day)
		}
		if _, err := addDays(ctx, tx, selectDayChunks, series, starts, chunk.UTC(least), chunk.UTC(most)); err != nil {
			return fmt.Errorf("writing the statistics of days: %w", err)
		}
	}
	if len(s.months) > 0 {
		var series []int32
		var since, until []time.Time
		for key := range s.months {
			_, end := chunk.MonthSpan.Region(key.start)
			series, since, until = append(series, key.series), append(since, chunk.UTC(key.start)), append(until, chunk.UTC(end))
		}
		if _, err := tx.Exec(ctx, deleteDaysOfMonths, series, since, until); err != nil {
			return fmt.Errorf("removing the statistics of days: %w", err)
		}
	}
	return nil
}

const deleteDaysOfSeries = `DELETE FROM reading_days WHERE series_id = ANY($1)`
