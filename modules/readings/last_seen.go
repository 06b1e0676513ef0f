package readings

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Whoever changes several series locks them in the order of their ids first, or two of them could wait for each other.
const updateLastSeen = `
WITH newest AS (
	SELECT * FROM unnest($1::int[], $2::timestamptz[], $3::float8[]) AS newest (id, ts, value)
), locked AS (
	SELECT id FROM series WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE
)
UPDATE series SET last_ts = newest.ts, last_value = newest.value
FROM newest JOIN locked USING (id)
WHERE series.id = newest.id AND (series.last_ts IS NULL OR series.last_ts <= newest.ts)`

// lastSeenSeries is how many series one statement brings up to date.
const lastSeenSeries = 4096

// noteLastSeen records the newest reading of each series in the view that has some after folded. It is the last thing that
// a fold does, because whoever deletes a device waits for it.
func noteLastSeen(ctx context.Context, tx pgx.Tx, recent view, folded int64) error {
	var last lastSeen
	for i, id := range recent.series {
		if refs := recent.between(i, folded); len(refs) > 0 {
			ts, value := recent.newest(refs)
			last.add(id, ts, value)
		}
		if len(last.series) < lastSeenSeries && i < len(recent.series)-1 {
			continue
		}
		if _, err := tx.Exec(ctx, updateLastSeen, last.series, last.ts, last.value); err != nil {
			return fmt.Errorf("recording the newest readings: %w", err)
		}
		last = lastSeen{last.series[:0], last.ts[:0], last.value[:0]}
	}
	return nil
}

// lastSeen is the newest reading of some series: parallel slices.
type lastSeen struct {
	series []int32
	ts     []time.Time
	value  []float64
}

func (l *lastSeen) add(id int32, ts int64, value float64) {
	l.series, l.ts, l.value = append(l.series, id), append(l.ts, millis(ts)), append(l.value, value)
}
