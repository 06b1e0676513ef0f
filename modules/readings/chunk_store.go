package readings

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"
)

// minTS and maxTS bound every instant that a reading can have.
const (
	minTS = math.MinInt64
	maxTS = math.MaxInt64
)

// chunk is one series' readings within the span that begins at start.
type chunk struct {
	series int32
	start  int64
	points Points
}

// chunkKey is a chunk's primary key.
type chunkKey struct {
	series int32
	start  int64
}

const selectChunksByKey = `
SELECT series_id, (extract(epoch FROM start_at) * 1000)::bigint, deltas, value
FROM reading_chunks
WHERE (series_id, start_at) IN (SELECT unnest($1::int[]), unnest($2::timestamptz[]))`

const updateChunk = `
UPDATE reading_chunks
SET count = $3, min = $4, max = $5, sum = $6, first = $7, last = $8, deltas = $9, value = $10
WHERE series_id = $1 AND start_at = $2`

var chunkColumns = []string{"series_id", "start_at", "count", "min", "max", "sum", "first", "last", "deltas", "value"}

// writeChunks merges chunks into those that are stored; newer values replace stored ones at the same instant. The caller
// holds the fold lock.
func writeChunks(ctx context.Context, tx pgx.Tx, chunks []chunk) error {
	if len(chunks) == 0 {
		return nil
	}
	stored, err := readChunks(ctx, tx, chunks)
	if err != nil {
		return err
	}
	var updates pgx.Batch
	fresh := chunks[:0:0]
	for _, c := range chunks {
		older, ok := stored[chunkKey{c.series, c.start}]
		if !ok {
			fresh = append(fresh, c)
			continue
		}
		c.points = mergeInto(Points{}, older, c.points)
		updates.Queue(updateChunk, c.row()...)
	}
	if err := tx.SendBatch(ctx, &updates).Close(); err != nil {
		return fmt.Errorf("updating chunks: %w", err)
	}
	rows := pgx.CopyFromSlice(len(fresh), func(i int) ([]any, error) { return fresh[i].row(), nil })
	if _, err := tx.CopyFrom(ctx, pgx.Identifier{"reading_chunks"}, chunkColumns, rows); err != nil {
		return fmt.Errorf("copying chunks: %w", err)
	}
	return nil
}

// row returns the chunk as its table has it.
func (c chunk) row() []any {
	var s Summary
	s.add(c.points.Value)
	return []any{
		c.series, millis(c.start), int32(s.Count), s.Min, s.Max, s.Sum, s.First, s.Last,
		encodeDeltas(c.start, c.points.TS), c.points.Value,
	}
}

// readChunks returns the points stored under the keys of the chunks given.
func readChunks(ctx context.Context, tx pgx.Tx, chunks []chunk) (map[chunkKey]Points, error) {
	series, starts := make([]int32, len(chunks)), make([]time.Time, len(chunks))
	for i, c := range chunks {
		series[i], starts[i] = c.series, millis(c.start)
	}
	rows, err := tx.Query(ctx, selectChunksByKey, series, starts)
	if err != nil {
		return nil, fmt.Errorf("reading chunks to fold into: %w", err)
	}
	defer rows.Close()
	stored := map[chunkKey]Points{}
	for rows.Next() {
		var key chunkKey
		if err := rows.Scan(&key.series, &key.start, nil, nil); err != nil {
			return nil, fmt.Errorf("reading chunks to fold into: %w", err)
		}
		raw := rows.RawValues()
		if stored[key], err = appendChunk(Points{}, key.start, raw[2], raw[3]); err != nil {
			return nil, fmt.Errorf("reading chunk %d of series %d: %w", key.start, key.series, err)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("reading chunks to fold into: %w", err)
	}
	return stored, nil
}
