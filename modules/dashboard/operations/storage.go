package operations

import (
	"context"
	"fmt"
	"math"
	"time"

	"telltale/modules/readings/batchlog"
	"telltale/platform/postgres"
)

// Storage is how much the database holds; NaN is not known.
type Storage struct {
	// Head is the seq of the newest batch of the log.
	Head  float64
	Bytes float64
	// BytesPerReading is what a reading in a chunk takes, with indexes, statistics and free space: an estimate.
	BytesPerReading float64
}

func noStorage() Storage { return Storage{math.NaN(), math.NaN(), math.NaN()} }

const (
	// databaseSize adds the sizes of files, and opens none. Chunks that PostgreSQL has not counted yet have no number of rows.
	databaseSize = `
SELECT pg_database_size(current_database()), sum(pg_total_relation_size(c.oid)) FILTER (WHERE c.reltuples > 0),
    sum(c.reltuples) FILTER (WHERE c.reltuples > 0), sum(c.relpages) FILTER (WHERE c.reltuples > 0)
FROM pg_partition_tree('reading_chunks') AS t JOIN pg_class AS c ON c.oid = t.relid WHERE t.isleaf`
	// chunkSize reads some pages by chance, and of them nothing but the counts: no chunk's data is read.
	chunkSize = `SELECT avg(count) FROM reading_chunks TABLESAMPLE SYSTEM ($1)`

	// sampledPages is how many pages chunkSize reads at most, about.
	sampledPages = 200
	// storageTimeout is how long a look may take; then the next one tries again.
	storageTimeout = 10 * time.Second
)

// Measure returns the function that asks the database how much it holds.
func Measure(db *postgres.DB) func(context.Context) (Storage, error) {
	return func(ctx context.Context) (Storage, error) {
		select {
		case <-db.Ready():
		case <-ctx.Done():
			return Storage{}, ctx.Err()
		}
		ctx, cancel := context.WithTimeout(ctx, storageTimeout)
		defer cancel()
		var head, bytes float64
		var size, chunks, pages *float64
		if err := db.QueryRow(ctx, batchlog.SelectHead).Scan(&head); err != nil {
			return Storage{}, fmt.Errorf("asking for the head of the log: %w", err)
		}
		if err := db.QueryRow(ctx, databaseSize).Scan(&bytes, &size, &chunks, &pages); err != nil {
			return Storage{}, fmt.Errorf("asking for the database's size: %w", err)
		}
		found := Storage{Head: head, Bytes: bytes, BytesPerReading: math.NaN()}
		if chunks == nil || *pages == 0 {
			return found, nil
		}
		var count *float64
		if err := db.QueryRow(ctx, chunkSize, min(100, 100*sampledPages / *pages)).Scan(&count); err != nil {
			return Storage{}, fmt.Errorf("looking at chunks: %w", err)
		}
		if count != nil && *count > 0 {
			found.BytesPerReading = *size / (*chunks * *count)
		}
		return found, nil
	}
}
