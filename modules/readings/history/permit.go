package history

import (
	"context"
	"errors"
	"time"

	"telltale/modules/auth/access"
	"telltale/modules/readings/chunk"
	"telltale/modules/readings/turns"
	"telltale/platform/fault"
)

const (
	// Patience is how long a query waits for others to end.
	Patience = 10 * time.Second
	// smallChunks is how many chunks a query may concern that is small although it was not counted, when their statistics are
	// enough. smallReadings is how many readings one may have that was.
	smallChunks   = 512
	smallReadings = 50_000
)

// userOf names whose share of the permits a query takes.
func userOf(who access.Principal) string {
	if who.KeyID != "" {
		return "key " + who.KeyID
	}
	return "user " + who.Subject
}

// small reports whether the query is known to take little before anything is counted, or is to be counted first.
func (q Query) small(series int) bool {
	chunks := (q.To - q.From) / chunk.Hour * int64(series)
	return chunks <= fewChunks || chunks <= smallChunks && (q.Interval != nil && !q.sorts() || q.MaxPoints == 0 && q.Limit == 0)
}

// large reports whether a survey has found too much for a small query.
func (f survey) large() bool { return f.known && f.total > smallReadings }

// enter waits for a permit to run, not for long.
func (e *Engine) enter(ctx context.Context, turn *turns.Turn, small bool) error {
	err := turn.Take(ctx, small)
	switch {
	case errors.Is(err, turns.ErrShare):
		shared := fault.New(fault.TooManyRequests, "too many of your own history queries are running or waiting; ask again when they have ended")
		shared.RetryAfter = time.Second
		return shared
	case errors.Is(err, turns.ErrFull):
		return fault.Busy(time.Second, nil, "too many history queries are running: at most %d run at once, and this one has waited for %s", e.limits.Gate.Permits(), Patience)
	}
	return err
}
