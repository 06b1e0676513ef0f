package postgres

import (
	"context"
	"time"

	"telltale/platform/fault"
)

// Ping is one check of the supervisor's.
func (db *DB) Ping(ctx context.Context) error { return db.ping(ctx) }

// WaitForMinimum has the start wait for the minimum of connections for no less than d.
func (db *DB) WaitForMinimum(d time.Duration) { db.warmup = d }

// Curable reports whether another try may help against an error with the SQLSTATE.
func Curable(code string) bool { return conditionOf(code).again != never }

// KindOf returns how a request ends that meets an error with the SQLSTATE.
func KindOf(code string) fault.Kind { return conditionOf(code).Kind }
