package fold

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"telltale/modules/readings/batchlog"
	"telltale/modules/readings/chunk"
	"telltale/modules/series"
)

// A last_ts ahead of now ($6) is an older version's; it moves to ahead_ts. A transaction that changes several series locks them
// in the order of their ids first, or two of them could wait for each other.
const updateLastSeen = `
WITH newest AS (
	SELECT * FROM unnest($1::int[], $2::timestamptz[], $3::float8[], $4::timestamptz[], $5::timestamptz[])
		AS newest (id, ts, value, ahead, arrived)
), locked AS (
	SELECT id FROM series WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE
)
UPDATE series SET arrived_at = newest.arrived,
	last_ts = CASE WHEN ` + seenLater + ` THEN newest.ts ELSE last_ts END,
	last_value = CASE WHEN ` + seenLater + ` THEN newest.value ELSE last_value END,
	ahead_ts = greatest(ahead_ts, newest.ahead, CASE WHEN last_ts > $6 THEN last_ts END)
FROM newest JOIN locked USING (id)
WHERE series.id = newest.id`

const seenLater = `newest.ts IS NOT NULL AND (last_ts IS NULL OR last_ts <= newest.ts OR last_ts > $6)`

// lastSeenSeries is how many series one statement brings up to date.
const lastSeenSeries = 4096

// noteLastSeen records the newest reading of each series in the view that has some after folded, how far ahead of now there
// are others, and when the last one came. It is the last thing that a fold does, because a deletion of a device waits for it.
func noteLastSeen(ctx context.Context, tx pgx.Tx, recent batchlog.View, folded, horizon int64) error {
	var last lastSeen
	for i, id := range recent.Series {
		if refs := recent.Between(i, folded, recent.Head); len(refs) > 0 {
			last.add(id, recent.NewestOf(refs, horizon))
		}
		if len(last.series) < lastSeenSeries && i < len(recent.Series)-1 {
			continue
		}
		_, err := tx.Exec(ctx, updateLastSeen, last.series, last.ts, last.value, last.ahead, last.arrived, chunk.UTC(horizon))
		if err != nil {
			return fmt.Errorf("recording the newest readings: %w", err)
		}
		last = lastSeen{last.series[:0], last.ts[:0], last.value[:0], last.ahead[:0], last.arrived[:0]}
	}
	return nil
}

// lastSeen is the newest reading of some series: parallel slices.
type lastSeen struct {
	series  []int32
	ts      []*time.Time
	value   []float64
	ahead   []*time.Time
	arrived []time.Time
}

func (l *lastSeen) add(id int32, n batchlog.Newest) {
	l.series, l.ts, l.value = append(l.series, id), append(l.ts, maybe(n.TS)), append(l.value, n.Value)
	l.ahead, l.arrived = append(l.ahead, maybe(n.Ahead)), append(l.arrived, n.Arrived)
}

// maybe returns the instant, nil for NoReading.
func maybe(ts int64) *time.Time {
	if ts == series.NoReading {
		return nil
	}
	at := chunk.UTC(ts)
	return &at
}
