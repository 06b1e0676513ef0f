package readings

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// What is deleted is counted by partition, in bytes, so that one which is largely empty can be rewritten.
const noteRemoved = `
INSERT INTO reading_space (partition, removed)
SELECT tableoid::regclass::text, sum(bytes) FROM gone GROUP BY 1
ON CONFLICT (partition) DO UPDATE SET removed = reading_space.removed + excluded.removed`

// removedBytes is about what a row takes in table and index.
const removedBytes = `pg_column_size(deltas) + pg_column_size(value) + 120 AS bytes`

const deleteChunksOfSeries = `
WITH gone AS (
	DELETE FROM reading_chunks WHERE series_id = ANY($1) RETURNING tableoid, ` + removedBytes + `
)` + noteRemoved

// deleteSeries removes what is stored of the readings of series.
func deleteSeries(ctx context.Context, tx pgx.Tx, series []int32) error {
	for _, statement := range []string{deleteChunksOfSeries, deleteDaysOfSeries} {
		if _, err := tx.Exec(ctx, statement, series); err != nil {
			return fmt.Errorf("deleting the readings of series that are gone: %w", err)
		}
	}
	return nil
}
