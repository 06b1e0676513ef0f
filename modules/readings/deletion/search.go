package deletion

import (
	"context"
	"fmt"
	"slices"
	"time"

	"telltale/modules/readings/chunk"
	"telltale/modules/series"

	"github.com/jackc/pgx/v5"
)

// Search looks for the newest reading of a series that is left and not after the horizon, backwards through its chunks.
type Search struct {
	Left    series.Newest // so far
	horizon int64
	Masks   []Mask // in the order of the log
	before  int64  // chunks that start there or later have been looked at
}

// NewSearch returns a search for the newest reading of a series up to the horizon that none of the masks, which are in the order
// of the log, hides.
func NewSearch(id int32, horizon int64, masks ...Mask) *Search {
	return &Search{series.Newest{ID: id, TS: series.NoReading}, horizon, masks, horizon + 1}
}

// searchSeries is how many series one statement looks for.
const searchSeries = 4096

// rowsSource is a pool or a transaction.
type rowsSource interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// SearchBack has every search come to its end.
func SearchBack(ctx context.Context, db rowsSource, searches []*Search) error {
	for some := range slices.Chunk(searches, searchSeries) {
		for len(some) > 0 {
			var err error
			if some, err = searchStep(ctx, db, some); err != nil {
				return fmt.Errorf("looking for the newest readings that are left: %w", err)
			}
		}
	}
	return nil
}

const selectNewestChunk = `
SELECT wanted.n, chunk.start_at, chunk.data, (SELECT folded_seq FROM log_state)
FROM unnest($1::int[], $2::timestamptz[]) WITH ORDINALITY AS wanted (id, before, n)
CROSS JOIN LATERAL (
	SELECT start_at, data FROM reading_chunks
	WHERE series_id = wanted.id AND start_at < wanted.before ORDER BY start_at DESC LIMIT 1
) AS chunk`

// searchStep looks into one chunk of each series, and returns the searches that have to go on. If chunks have got further than
// this instance meanwhile, they may have what it is about to observe.
func searchStep(ctx context.Context, db rowsSource, searches []*Search) (further []*Search, err error) {
	ids, before := make([]int32, len(searches)), make([]time.Time, len(searches))
	for i, s := range searches {
		ids[i], before[i] = s.Left.ID, chunk.UTC(s.before)
	}
	rows, err := db.Query(ctx, selectNewestChunk, ids, before)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var n, folded int64
	var points chunk.Points
	for rows.Next() {
		if err := rows.Scan(&n, nil, nil, &folded); err != nil {
			return nil, err
		}
		raw := rows.RawValues()
		s, start := searches[n-1], chunk.ParseTimestamp(raw[1])
		if points, err = chunk.Decode(chunk.Points{TS: points.TS[:0], Value: points.Value[:0]}, start, raw[2], start, s.horizon+1); err != nil {
			return nil, err
		}
		if !s.take(start, points, folded) {
			further = append(further, s)
		}
	}
	return further, rows.Err()
}

// take looks at the newest chunk that was not looked at, as of the fold up to folded, and reports whether the search is over.
func (s *Search) take(start int64, points chunk.Points, folded int64) bool {
	masks := After(s.Masks, folded)
	if points = Withhold(points.Slice(start, s.horizon+1), masks); points.Len() > 0 {
		if last := points.Len() - 1; points.TS[last] > s.Left.TS {
			s.Left.TS, s.Left.Value = points.TS[last], points.Value[last]
		}
		return true
	}
	s.before = start
	for _, m := range masks {
		if m.Covers(start) {
			s.before = min(s.before, m.From)
		}
	}
	return s.before <= s.Left.TS
}
