package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"telltale/platform/fault"
)

// defaultLimit is the limit of statements where the settings say none.
const defaultLimit = 30 * time.Second

// errLimit is the cause of a statement's end when its limit was over.
var errLimit = errors.New("the statement's time was over")

type limitKey struct{}

// WithLimit returns a context whose statements may take as long as given, instead of DB_STATEMENT_TIMEOUT_SECS. It is for work
// that has a time limit of its own, as a history query has.
func WithLimit(ctx context.Context, limit time.Duration) context.Context {
	return context.WithValue(ctx, limitKey{}, limit)
}

// Limit returns how long one statement may take, reading its rows included: a server that is silent, or a lock that is held,
// keeps no caller longer. Waiting for a connection comes before, and is limited by DB_CONNECTION_TIMEOUT_SECS.
func (db *DB) Limit() time.Duration { return statementLimit(db.cfg.StatementTimeout) }

// Patient is how long a statement of the background may take, which works through much at once.
func (db *DB) Patient() time.Duration { return 10 * db.Limit() }

func statementLimit(setting time.Duration) time.Duration {
	if setting <= 0 {
		return defaultLimit
	}
	return setting
}

// timed is the time of one statement, or of those that travel together.
type timed struct {
	db     *DB
	caller context.Context // to tell the caller's own doing from an outage
	ctx    context.Context // the statement's, which ends with the limit
	limit  time.Duration
	end    context.CancelFunc
}

// timed begins the time of a statement. End must be called when its results have been read.
func (db *DB) timed(ctx context.Context) timed {
	limit := db.Limit()
	if own, ok := ctx.Value(limitKey{}).(time.Duration); ok {
		limit = own
	}
	bounded, end := context.WithTimeoutCause(ctx, limit, errLimit)
	return timed{db: db, caller: ctx, ctx: bounded, limit: limit, end: end}
}

// explain is the DB's explain, and tells a statement that took too long.
func (t timed) explain(err error) error {
	if err == nil || t.caller.Err() != nil || fault.As(err) != nil {
		return err
	}
	if t.ctx.Err() != nil && Code(err) == "" && errors.Is(context.Cause(t.ctx), errLimit) {
		t.db.suspect()
		return fault.Busy(retryAfter, fmt.Errorf("no answer within %s: %w", t.limit, err), "the database did not answer in time")
	}
	return t.db.explain(t.caller, err)
}
