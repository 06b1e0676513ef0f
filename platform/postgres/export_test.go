package postgres

import (
	"context"
	"time"
)

// Ping is one check of the supervisor's.
func (db *DB) Ping(ctx context.Context) error { return db.ping(ctx) }

// WaitForMinimum has the start wait for the minimum of connections for no less than d.
func (db *DB) WaitForMinimum(d time.Duration) { db.warmup = d }
