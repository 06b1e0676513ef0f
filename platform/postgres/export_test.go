package postgres

import "context"

// Ping is one check of the supervisor's.
func (db *DB) Ping(ctx context.Context) error { return db.ping(ctx) }
