package keys

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"telltale/modules/auth/access"
)

// database is what the store needs of the pool.
type database interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// store keeps API keys.
type store struct{ db database }

func scanKey(row pgx.CollectableRow) (record, error) {
	var k record
	err := row.Scan(&k.ID, &k.secretHash, &k.Name, &k.Scopes, &k.Devices, &k.CreatedBy, &k.CreatedAt, &k.ExpiresAt, &k.RevokedAt)
	return k, err
}

const selectKey = `
SELECT id, secret_hash, name, scopes, devices, created_by, created_at, expires_at, revoked_at
FROM api_keys WHERE id = $1`

func (s store) key(ctx context.Context, id string) (record, bool, error) {
	rows, err := s.db.Query(ctx, selectKey, id)
	if err != nil {
		return record{}, false, fmt.Errorf("read an api key: %w", err)
	}
	found, err := pgx.CollectExactlyOneRow(rows, scanKey)
	if errors.Is(err, pgx.ErrNoRows) {
		return record{}, false, nil
	}
	if err != nil {
		return record{}, false, fmt.Errorf("read an api key: %w", err)
	}
	return found, true, nil
}

const selectKeys = `
SELECT id, ''::bytea, name, scopes, devices, created_by, created_at, expires_at, revoked_at
FROM api_keys WHERE id > $1 AND ($2 OR revoked_at IS NULL) ORDER BY id LIMIT $3`

func (s store) keys(ctx context.Context, revoked bool, after string, limit int) ([]Key, error) {
	rows, err := s.db.Query(ctx, selectKeys, after, revoked, limit)
	if err != nil {
		return nil, fmt.Errorf("list api keys: %w", err)
	}
	keys, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Key, error) {
		k, err := scanKey(row)
		return k.Key, err
	})
	if err != nil {
		return nil, fmt.Errorf("list api keys: %w", err)
	}
	return keys, nil
}

const insertKey = `
INSERT INTO api_keys (id, secret_hash, name, scopes, devices, created_by, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
RETURNING id, ''::bytea, name, scopes, devices, created_by, created_at, expires_at, revoked_at`

func (s store) insertKey(ctx context.Context, key Draft, id string, secretHash []byte, by string) (Key, error) {
	rows, err := s.db.Query(ctx, insertKey, id, secretHash, key.Name, access.SortedScopes(key.Scopes), key.Devices, by, key.ExpiresAt)
	if err != nil {
		return Key{}, fmt.Errorf("create an api key: %w", err)
	}
	created, err := pgx.CollectExactlyOneRow(rows, scanKey)
	if err != nil {
		return Key{}, fmt.Errorf("create an api key: %w", err)
	}
	return created.Key, nil
}

const revokeKey = `UPDATE api_keys SET revoked_at = coalesce(revoked_at, now()) WHERE id = $1`

func (s store) revokeKey(ctx context.Context, id string) error {
	rows, err := s.db.Query(ctx, revokeKey, id)
	if err != nil {
		return fmt.Errorf("revoke an api key: %w", err)
	}
	rows.Close()
	if err := rows.Err(); err != nil {
		return fmt.Errorf("revoke an api key: %w", err)
	}
	return nil
}
