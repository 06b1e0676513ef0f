package auth

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// database is what the store needs of the pool.
type database interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	InTx(ctx context.Context, options pgx.TxOptions, do func(pgx.Tx) error) error
}

// store keeps users and API keys.
type store struct{ db database }
