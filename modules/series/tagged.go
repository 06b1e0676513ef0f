package series

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

const selectTagged = `SELECT id FROM devices WHERE tags @> $1::text[]`

// Tagged returns the ids of the devices that have all of the tags now, whichever instance has set them.
func (r *Registry) Tagged(ctx context.Context, tags []string) (map[string]bool, error) {
	rows, err := r.store.db.Query(ctx, selectTagged, tags)
	if err != nil {
		return nil, fmt.Errorf("reading the devices with tags: %w", err)
	}
	tagged := map[string]bool{}
	var id string
	if _, err := pgx.ForEachRow(rows, []any{&id}, func() error { tagged[id] = true; return nil }); err != nil {
		return nil, fmt.Errorf("reading the devices with tags: %w", err)
	}
	return tagged, nil
}
