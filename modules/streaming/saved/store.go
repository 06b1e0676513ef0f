package saved

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"telltale/platform/fault"
	"telltale/platform/postgres"
)

// store reads and writes the table of saved filters.
type store struct{ db *postgres.DB }

// Summary is a filter without its lists. The count of a list that the filter does not have is nil.
type Summary struct {
	ID          string    `json:"id"`
	Owner       string    `json:"owner"`
	Created     time.Time `json:"created_at"`
	DeviceCount *int      `json:"device_count"`
	TagCount    *int      `json:"tag_count"`
	MetricCount *int      `json:"metric_count"`
}

// filtersLock is the key of the advisory lock under which filters are saved: "tell" and a number, like those of the log.
const filtersLock = 0x74656c6c_0003

const (
	// The lock has a statement of its own, so that the snapshots of the statements after it contain what others have saved.
	lockFilters = `SELECT pg_advisory_xact_lock($1)`
	deleteEnded = `
DELETE FROM stream_filters USING api_keys
WHERE owner = 'key:' || api_keys.id AND (api_keys.revoked_at IS NOT NULL OR api_keys.expires_at <= now())`
	insertFilter = `
INSERT INTO stream_filters (id, owner, username, body)
SELECT $1, $2, $3, $4 WHERE (SELECT count(*) FROM stream_filters WHERE owner = $2) < $5
ON CONFLICT (id) DO NOTHING`
	selectFilter = `SELECT id, owner, created_at, body FROM stream_filters WHERE id = $1 AND (owner = $2 OR $3)`
	deleteFilter = `DELETE FROM stream_filters WHERE id = $1 AND (owner = $2 OR $3)`
	listFilters  = `
SELECT id, owner, created_at, jsonb_array_length(body->'device'), jsonb_array_length(body->'tag'), jsonb_array_length(body->'metric')
FROM stream_filters WHERE owner = $1 OR $2 ORDER BY created_at DESC, id LIMIT $3`
)

// save is one round trip: lock, clean-up, insert and answer travel together as one implicit transaction. username is nil
// unless the owner is a user.
func (s store) save(ctx context.Context, id, owner string, username *string, body []byte) (saved Filter, err error) {
	var pipeline pgx.Batch
	pipeline.Queue(lockFilters, int64(filtersLock))
	pipeline.Queue(deleteEnded)
	pipeline.Queue(insertFilter, id, owner, username, body, maxFilters)
	pipeline.Queue(selectFilter, id, owner, false).QueryRow(func(row pgx.Row) (err error) {
		saved, err = scanFilter(row)
		return err
	})
	err = s.db.SendBatch(ctx, &pipeline).Close()
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return saved, fault.InvalidField("body", "would be one more than the %d filters that you may have; delete one first", maxFilters)
	case postgres.Is(err, postgres.ForeignKeyViolation):
		return saved, fault.New(fault.Unauthenticated, "the token is no longer valid: its user has been deleted")
	case err != nil:
		return saved, fmt.Errorf("saving a filter: %w", err)
	}
	return saved, nil
}

func (s store) find(ctx context.Context, id, owner string, all bool) (Filter, error) {
	saved, err := scanFilter(s.db.QueryRow(ctx, selectFilter, id, owner, all))
	if errors.Is(err, pgx.ErrNoRows) {
		return saved, notFound(id)
	}
	if err != nil {
		return saved, fmt.Errorf("reading a filter: %w", err)
	}
	return saved, nil
}

func scanFilter(row pgx.Row) (saved Filter, err error) {
	var raw []byte
	if err := row.Scan(&saved.ID, &saved.Owner, &saved.Created, &raw); err != nil {
		return saved, err
	}
	saved.Created = saved.Created.UTC()
	return saved, json.Unmarshal(raw, &saved.Selection)
}

func notFound(id string) error {
	return fault.New(fault.NotFound, "there is no saved filter %.140q", id)
}

func (s store) list(ctx context.Context, owner string, all bool) ([]Summary, error) {
	rows, err := s.db.Query(ctx, listFilters, owner, all, maxListed)
	if err != nil {
		return nil, fmt.Errorf("listing filters: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (s Summary, err error) {
		err = row.Scan(&s.ID, &s.Owner, &s.Created, &s.DeviceCount, &s.TagCount, &s.MetricCount)
		s.Created = s.Created.UTC()
		return s, err
	})
	if err != nil {
		return nil, fmt.Errorf("listing filters: %w", err)
	}
	return list, nil
}

func (s store) delete(ctx context.Context, id, owner string, all bool) error {
	tag, err := s.db.Exec(ctx, deleteFilter, id, owner, all)
	if err != nil {
		return fmt.Errorf("deleting a filter: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return notFound(id)
	}
	return nil
}
