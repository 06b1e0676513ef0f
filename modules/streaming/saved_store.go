package streaming

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"telltale/platform/fault"
	"telltale/platform/postgres"
)

// savedStore reads and writes the table of saved filters.
type savedStore struct{ db *postgres.DB }

// SavedSummary is a filter without its lists; nil counts are of lists that it does not have.
type SavedSummary struct {
	ID          string    `json:"id"`
	Owner       string    `json:"owner"`
	Created     time.Time `json:"created_at"`
	DeviceCount *int      `json:"device_count"`
	TagCount    *int      `json:"tag_count"`
	MetricCount *int      `json:"metric_count"`
}

// savedLock is the key of the advisory lock of whoever saves: "tell" and a number, like those of the log.
const savedLock = 0x74656c6c_0003

const (
	// The lock is taken by a statement of its own, so that the snapshot of those behind it has what others have saved.
	lockSaved   = `SELECT pg_advisory_xact_lock($1)`
	deleteEnded = `
DELETE FROM stream_filters USING api_keys
WHERE owner = 'key:' || api_keys.id AND (api_keys.revoked_at IS NOT NULL OR api_keys.expires_at <= now())`
	insertSaved = `
INSERT INTO stream_filters (id, owner, username, body)
SELECT $1, $2, $3, $4 WHERE (SELECT count(*) FROM stream_filters WHERE owner = $2) < $5
ON CONFLICT (id) DO NOTHING`
	selectSaved = `SELECT id, owner, created_at, body FROM stream_filters WHERE id = $1 AND (owner = $2 OR $3)`
	deleteSaved = `DELETE FROM stream_filters WHERE id = $1 AND (owner = $2 OR $3)`
	listSaved   = `
SELECT id, owner, created_at, jsonb_array_length(body->'device'), jsonb_array_length(body->'tag'), jsonb_array_length(body->'metric')
FROM stream_filters WHERE owner = $1 OR $2 ORDER BY created_at DESC, id LIMIT $3`
)

// foreignKey is the SQLSTATE of a row that refers to one that is not there.
const foreignKey = "23503"

// save is one round trip: lock, clean-up, insert and answer travel together as one implicit transaction. username is nil
// unless the owner is a user.
func (s savedStore) save(ctx context.Context, id, owner string, username *string, body []byte) (saved SavedFilter, err error) {
	var pipeline pgx.Batch
	pipeline.Queue(lockSaved, int64(savedLock))
	pipeline.Queue(deleteEnded)
	pipeline.Queue(insertSaved, id, owner, username, body, maxSaved)
	pipeline.Queue(selectSaved, id, owner, false).QueryRow(func(row pgx.Row) (err error) {
		saved, err = scanSaved(row)
		return err
	})
	err = s.db.SendBatch(ctx, &pipeline).Close()
	refusal, refused := errors.AsType[*pgconn.PgError](err)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return saved, fault.InvalidField("body", "would be one more than the %d filters that you may have; delete one first", maxSaved)
	case refused && refusal.Code == foreignKey:
		return saved, fault.New(fault.Unauthenticated, "the token is no longer valid: its user has been deleted")
	case err != nil:
		return saved, fmt.Errorf("saving a filter: %w", err)
	}
	return saved, nil
}

func (s savedStore) find(ctx context.Context, id, owner string, all bool) (SavedFilter, error) {
	saved, err := scanSaved(s.db.QueryRow(ctx, selectSaved, id, owner, all))
	if errors.Is(err, pgx.ErrNoRows) {
		return saved, noSaved(id)
	}
	if err != nil {
		return saved, fmt.Errorf("reading a filter: %w", err)
	}
	return saved, nil
}

func scanSaved(row pgx.Row) (saved SavedFilter, err error) {
	var raw []byte
	if err := row.Scan(&saved.ID, &saved.Owner, &saved.Created, &raw); err != nil {
		return saved, err
	}
	saved.Created = saved.Created.UTC()
	return saved, json.Unmarshal(raw, &saved.Selection)
}

func noSaved(id string) error {
	return fault.New(fault.NotFound, "there is no saved filter %.140q", id)
}

func (s savedStore) list(ctx context.Context, owner string, all bool) ([]SavedSummary, error) {
	rows, err := s.db.Query(ctx, listSaved, owner, all, maxListed)
	if err != nil {
		return nil, fmt.Errorf("listing filters: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (s SavedSummary, err error) {
		err = row.Scan(&s.ID, &s.Owner, &s.Created, &s.DeviceCount, &s.TagCount, &s.MetricCount)
		s.Created = s.Created.UTC()
		return s, err
	})
	if err != nil {
		return nil, fmt.Errorf("listing filters: %w", err)
	}
	return list, nil
}

func (s savedStore) delete(ctx context.Context, id, owner string, all bool) error {
	tag, err := s.db.Exec(ctx, deleteSaved, id, owner, all)
	if err != nil {
		return fmt.Errorf("deleting a filter: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return noSaved(id)
	}
	return nil
}
