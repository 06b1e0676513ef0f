package auth

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// database is what the store needs of the pool.
type database interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// store keeps API keys.
type store struct{ db database }
