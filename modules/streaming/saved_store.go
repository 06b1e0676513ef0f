package streaming

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

const (
	insertSaved = `
INSERT INTO stream_filters (id, owner, body)
SELECT $1, $2, $3 WHERE (SELECT count(*) FROM stream_filters WHERE owner = $2) < $4
ON CONFLICT (id) DO NOTHING`
	selectSaved = `SELECT id, owner, created_at, body FROM stream_filters WHERE id = $1 AND (owner = $2 OR $3)`
	deleteSaved = `DELETE FROM stream_filters WHERE id = $1 AND (owner = $2 OR $3)`
	listSaved   = `
SELECT id, owner, created_at, jsonb_array_length(body->'device'), jsonb_array_length(body->'tag'), jsonb_array_length(body->'metric')
FROM stream_filters WHERE owner = $1 OR $2 ORDER BY created_at DESC, id LIMIT $3`
)

func (s savedStore) save(ctx context.Context, id, owner string, body []byte) (SavedFilter, error) {
	tag, err := s.db.Exec(ctx, insertSaved, id, owner, body, maxSaved)
	if err != nil {
		return SavedFilter{}, fmt.Errorf("saving a filter: %w", err)
	}
	saved, err := s.find(ctx, id, owner, false)
	if fault.KindOf(err) == fault.NotFound && tag.RowsAffected() == 0 {
		err = fault.InvalidField("body", "would be one more than the %d filters that you may have; delete one first", maxSaved)
	}
	return saved, err
}

func (s savedStore) find(ctx context.Context, id, owner string, all bool) (saved SavedFilter, err error) {
	var raw []byte
	err = s.db.QueryRow(ctx, selectSaved, id, owner, all).Scan(&saved.ID, &saved.Owner, &saved.Created, &raw)
	if errors.Is(err, pgx.ErrNoRows) {
		return saved, noSaved(id)
	}
	if err == nil {
		err = json.Unmarshal(raw, &saved.Selection)
	}
	if err != nil {
		return saved, fmt.Errorf("reading a filter: %w", err)
	}
	saved.Created = saved.Created.UTC()
	return saved, nil
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
