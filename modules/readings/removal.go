package readings

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// What is deleted is counted by partition, in bytes, so that one which is largely empty can be rewritten: apart what goes
// with a deleted device, because as much need not come again. What goes since it is in other chunks now, or is past its
// retention, goes at the pace of what comes.
const (
	noteRemoved = `
INSERT INTO reading_space (partition, removed, lost)
SELECT tableoid::regclass::text, sum(bytes), 0 FROM gone GROUP BY 1` + addSpace
	noteLost = `
INSERT INTO reading_space (partition, removed, lost)
SELECT tableoid::regclass::text, sum(bytes), sum(bytes) FROM gone GROUP BY 1` + addSpace
	addSpace = `
ON CONFLICT (partition) DO UPDATE SET removed = reading_space.removed + excluded.removed, lost = reading_space.lost + excluded.lost`
)

// removedBytes is about what a row takes in table and index.
const removedBytes = `pg_column_size(deltas) + pg_column_size(value) + 120 AS bytes`

const deleteChunksByKey = `
WITH gone AS (
	DELETE FROM reading_chunks AS c USING unnest($1::int[], $2::timestamptz[]) AS wanted (id, at)
	WHERE c.series_id = wanted.id AND c.start_at = wanted.at AND c.start_at >= $3 AND c.start_at <= $4
	RETURNING c.tableoid, ` + removedBytes + `
)` + noteRemoved

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
	DELETE FROM reading_chunks WHERE series_id = ANY($1) RETURNING tableoid, ` + removedBytes + `
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
