package fold

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"telltale/modules/readings/chunk"

	"github.com/jackc/pgx/v5"
)

// filled is a slot with its readings.
type filled struct {
	chunk.Slot
	points chunk.Points
}

// chunkKey is a chunk's primary key.
type chunkKey struct {
	series int32
	start  int64
}

// keys are many primary keys, as arguments of a statement: parallel slices, and between which instants they all start, so
// that the planner passes over all other partitions.
type keys struct {
	series      []int32
	starts      []time.Time
	least, most time.Time
}

func (k *keys) add(series int32, start int64) {
	at := chunk.UTC(start)
	if len(k.series) == 0 || at.Before(k.least) {
		k.least = at
	}
	if len(k.series) == 0 || at.After(k.most) {
		k.most = at
	}
	k.series, k.starts = append(k.series, series), append(k.starts, at)
}

func (k *keys) args() []any { return []any{k.series, k.starts, k.least, k.most} }

func keyOf(s chunk.Slot) chunkKey { return chunkKey{s.Series, s.Start} }

// The ORDER BY within the lateral join keeps the planner from any other way than the primary key. $4 and $5 let it pass
// over partitions.
const selectStored = `
SELECT wanted.n, (extract(epoch FROM chunk.start_at) * 1000)::bigint, chunk.hours, chunk.count, chunk.bytes
FROM unnest($1::int[], $2::timestamptz[], $3::timestamptz[]) WITH ORDINALITY AS wanted (id, since, until, n)
CROSS JOIN LATERAL (
	SELECT start_at, hours, count, ` + chunkBytes + ` FROM reading_chunks
	WHERE series_id = wanted.id AND start_at >= wanted.since AND start_at < wanted.until
		AND start_at >= $4 AND start_at < $5
	ORDER BY start_at
) AS chunk`

// readStored returns for each of the slots the chunks that are stored of it, in order of time.
func readStored(ctx context.Context, tx pgx.Tx, slots []addition) ([][]storedChunk, error) {
	series, since, until := make([]int32, len(slots)), make([]time.Time, len(slots)), make([]time.Time, len(slots))
	least, most := int64(math.MaxInt64), int64(math.MinInt64)
	for i, u := range slots {
		series[i], since[i], until[i] = u.Series, chunk.UTC(u.Start), chunk.UTC(u.End)
		least, most = min(least, u.Start), max(most, u.End)
	}
	rows, err := tx.Query(ctx, selectStored, series, since, until, chunk.UTC(least), chunk.UTC(most))
	if err != nil {
		return nil, fmt.Errorf("looking for chunks to fold into: %w", err)
	}
	stored := make([][]storedChunk, len(slots))
	var n, start, bytes int64
	var hours int16
	var count int
	_, err = pgx.ForEachRow(rows, []any{&n, &start, &hours, &count, &bytes}, func() error {
		u := chunk.SpanOf(hours).Slot(series[n-1], start)
		stored[n-1] = append(stored[n-1], storedChunk{u, count, bytes})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("looking for chunks to fold into: %w", err)
	}
	return stored, nil
}

const selectChunksByKey = `
SELECT series_id, (extract(epoch FROM start_at) * 1000)::bigint, data
FROM unnest($1::int[], $2::timestamptz[]) AS wanted (id, at)
CROSS JOIN LATERAL (
	SELECT series_id, start_at, data FROM reading_chunks
	WHERE series_id = wanted.id AND start_at = wanted.at AND start_at >= $3 AND start_at <= $4
	ORDER BY start_at
) AS chunk`

// storedPoints are the readings of stored chunks.
type storedPoints map[chunkKey]chunk.Points

// of returns the readings of several chunks of a series, in order of time.
func (s storedPoints) of(chunks []storedChunk) (p chunk.Points) {
	if len(chunks) == 1 {
		return s[keyOf(chunks[0].Slot)]
	}
	for _, c := range chunks {
		part := s[keyOf(c.Slot)]
		p.TS, p.Value = append(p.TS, part.TS...), append(p.Value, part.Value...)
	}
	return p
}

// count returns how many readings there are.
func (s storedPoints) count() (n int) {
	for _, points := range s {
		n += points.Len()
	}
	return n
}

// readPoints reads the chunks that the merges take.
func readPoints(ctx context.Context, tx pgx.Tx, merges []placement) (storedPoints, error) {
	var wanted keys
	for _, m := range merges {
		for _, c := range m.stored {
			wanted.add(c.Series, c.Start)
		}
	}
	stored := make(storedPoints, len(wanted.series))
	if len(wanted.series) == 0 {
		return stored, nil
	}
	rows, err := tx.Query(ctx, selectChunksByKey, wanted.args()...)
	if err != nil {
		return nil, fmt.Errorf("reading chunks to fold into: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var key chunkKey
		if err := rows.Scan(&key.series, &key.start, nil); err != nil {
			return nil, fmt.Errorf("reading chunks to fold into: %w", err)
		}
		data := rows.RawValues()[2]
		if stored[key], err = chunk.Decode(chunk.Points{}, key.start, data, math.MinInt64, math.MaxInt64); err != nil {
			return nil, fmt.Errorf("reading chunk %d of series %d: %w", key.start, key.series, err)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("reading chunks to fold into: %w", err)
	}
	return stored, nil
}

const updateChunk = `
UPDATE reading_chunks
SET hours = $3, count = $4, min = $5, max = $6, sum = $7, sum_rest = $8, first = $9, last = $10, data = $11, hourly = $12
WHERE series_id = $1 AND start_at = $2`

var chunkColumns = []string{"series_id", "start_at", "hours", "count", "min", "max", "sum", "sum_rest", "first", "last", "data", "hourly"}

// chunkWriter collects changes of the chunks' table.
type chunkWriter struct {
	closed  int64 // Unix ms; months that end by then are over
	now     time.Time
	fresh   []filled
	changes pgx.Batch
	written map[chunkKey]bool // stored chunks that are overwritten
	removed keys
	freed   map[string]int64 // bytes, by month; of months that are over, also those that only have new chunks
}

// put queues a chunk, in place of the stored one with the same key if there is one among those given.
func (w *chunkWriter) put(c filled, stored []storedChunk) {
	i, found := slices.BinarySearchFunc(stored, c.Start, storedChunk.compareStart)
	_, end := chunk.MonthSpan.Region(c.Start)
	over := end <= w.closed
	if !found {
		if w.fresh = append(w.fresh, c); over {
			w.free(storedChunk{Slot: c.Slot})
		}
		return
	}
	if w.written == nil {
		w.written = map[chunkKey]bool{}
	}
	w.written[keyOf(stored[i].Slot)] = true
	if over {
		w.free(stored[i])
	}
	w.changes.Queue(updateChunk, c.row()...)
}

// remove queues the removal of those stored chunks that no chunk was put in place of.
func (w *chunkWriter) remove(stored []storedChunk) {
	for _, c := range stored {
		if !w.written[keyOf(c.Slot)] {
			w.removed.add(c.Series, c.Start)
			w.free(c)
		}
	}
}

// free counts what a stored chunk takes as freed.
func (w *chunkWriter) free(c storedChunk) {
	if w.freed == nil {
		w.freed = map[string]int64{}
	}
	w.freed[monthTable(c.Start)] += c.bytes
}

// flush writes what is queued.
func (w *chunkWriter) flush(ctx context.Context, tx pgx.Tx) error {
	if err := tx.SendBatch(ctx, &w.changes).Close(); err != nil {
		return fmt.Errorf("updating chunks: %w", err)
	}
	if err := deleteChunks(ctx, tx, w.removed); err != nil {
		return err
	}
	if err := noteWritten(ctx, tx, w.freed, w.now); err != nil {
		return err
	}
	if len(w.fresh) == 0 {
		return nil
	}
	rows := pgx.CopyFromSlice(len(w.fresh), func(i int) ([]any, error) { return w.fresh[i].row(), nil })
	if _, err := tx.CopyFrom(ctx, pgx.Identifier{"reading_chunks"}, chunkColumns, rows); err != nil {
		return fmt.Errorf("copying chunks: %w", err)
	}
	return nil
}

// row returns the chunk as its table has it.
func (c filled) row() []any {
	var s chunk.Statistics
	s.Add(c.points.Value)
	return []any{
		c.Series, chunk.UTC(c.Start), c.Hours(), int32(s.Count), s.Min, s.Max, s.Sum.High, s.Sum.Low, s.First, s.Last,
		chunk.Encode(c.Start, c.points), c.hourly(),
	}
}

// hourly returns the statistics of the hours of a day; nil for other spans.
func (c filled) hourly() []byte {
	if c.Span != chunk.DaySpan {
		return nil
	}
	return chunk.EncodeHours(c.Start, c.points)
}
