package fold

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// What is deleted is counted by partition, in bytes, so that one which is largely empty can be rewritten: apart what goes
// with a deleted device, because as much need not come again. What goes since it is in other chunks now, or is past its
// retention, goes at the pace of what comes. In a month that is over, what is overwritten counts too: the last versions of
// its chunks leave the space of all earlier ones behind. Until then the hours to come take such space.
const (
	noteRemoved = `
INSERT INTO reading_space (partition, removed, lost)
SELECT tableoid::regclass::text, sum(bytes), 0 FROM gone GROUP BY 1` + addSpace
	noteLost = `
INSERT INTO reading_space (partition, removed, lost)
SELECT tableoid::regclass::text, sum(bytes), sum(bytes) FROM gone GROUP BY 1` + addSpace
	// A month may be a part of a year's partition.
	insertWritten = `
INSERT INTO reading_space (partition, removed, lost, written_at)
SELECT CASE WHEN to_regclass(left(month, -3)) IS NULL THEN month ELSE left(month, -3) END, sum(bytes), 0, $3
FROM unnest($1::text[], $2::bigint[]) AS freed (month, bytes) GROUP BY 1` + addSpace
	addSpace = `
ON CONFLICT (partition) DO UPDATE SET removed = reading_space.removed + excluded.removed,
	lost = reading_space.lost + excluded.lost, written_at = greatest(reading_space.written_at, excluded.written_at)`
)

// chunkBytes is about what a row takes in table and index.
const chunkBytes = `pg_column_size(data) + coalesce(pg_column_size(hourly), 0) + 120 AS bytes`

// noteWritten counts the bytes of chunks, by month, whose readings are in others now, and when that was.
func noteWritten(ctx context.Context, tx pgx.Tx, freed map[string]int64, now time.Time) error {
	if len(freed) == 0 {
		return nil
	}
	var months []string
	var bytes []int64
	for month, n := range freed {
		months, bytes = append(months, month), append(bytes, n)
	}
	if _, err := tx.Exec(ctx, insertWritten, months, bytes, now); err != nil {
		return fmt.Errorf("counting what chunks have left free: %w", err)
	}
	return nil
}

const deleteChunksByKey = `
DELETE FROM reading_chunks AS c USING unnest($1::int[], $2::timestamptz[]) AS wanted (id, at)
WHERE c.series_id = wanted.id AND c.start_at = wanted.at AND c.start_at >= $3 AND c.start_at <= $4`

func deleteChunks(ctx context.Context, tx pgx.Tx, gone keys) error {
	if len(gone.series) == 0 {
		return nil
	}
	if _, err := tx.Exec(ctx, deleteChunksByKey, gone.args()...); err != nil {
		return fmt.Errorf("deleting chunks whose readings are in others now: %w", err)
	}
	return nil
}

const deleteChunksOfSeries = `
WITH gone AS (
	DELETE FROM reading_chunks WHERE series_id = ANY($1) RETURNING tableoid, ` + chunkBytes + `
)` + noteLost

// deleteSeries removes what is stored of the readings of series.
func deleteSeries(ctx context.Context, tx pgx.Tx, series []int32) error {
	for _, statement := range []string{deleteChunksOfSeries, deleteDaysOfSeries} {
		if _, err := tx.Exec(ctx, statement, series); err != nil {
			return fmt.Errorf("deleting the readings of series that are gone: %w", err)
		}
	}
	return nil
}
