package fold

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// OnDemand moves into chunks what this instance's window holds now, gives back the disk that readings past their retention take,
// and returns the stamp of the batch up to which everything is folded. When another instance is folding it waits for it.
func (f *Runner) OnDemand(ctx context.Context) (stamp int64, err error) {
	head := f.window.Head()
	err = retryElsewhere(ctx, func() error {
		if err := f.Fold(ctx); err != nil {
			return err
		}
		state, err := f.log.State(ctx)
		if stamp = state.FoldedStamp; err == nil && state.Folded < head {
			return errElsewhere
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	return stamp, retryElsewhere(ctx, func() error { return f.maintain(ctx, thoroughly) })
}

// foldRetry is how often work on demand looks whether the fold under way elsewhere has ended.
const foldRetry = 50 * time.Millisecond

// retryElsewhere does something again until no other instance is in the way, or ctx ends.
func retryElsewhere(ctx context.Context, do func() error) error {
	for {
		err := do()
		if !errors.Is(err, errElsewhere) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(foldRetry):
		}
	}
}

const selectDeleted = `SELECT folded_seq >= $1, (SELECT deleted_count FROM reading_log WHERE seq = $1) FROM log_state`

// CarryOut folds, here or elsewhere, until the deletion with the seq has been carried out, and returns how many readings it was
// about. After an error it may be done all the same.
func (f *Runner) CarryOut(ctx context.Context, seq int64) (readings int64, done bool, err error) {
	for {
		if err := f.Fold(ctx); err != nil {
			return 0, done, err
		}
		var count *int64
		if err := f.db.QueryRow(ctx, selectDeleted, seq).Scan(&done, &count); err != nil {
			return 0, done, fmt.Errorf("looking whether readings are deleted: %w", err)
		}
		if done && count != nil {
			return *count, done, nil
		}
		select {
		case <-ctx.Done():
			return 0, done, ctx.Err()
		case <-time.After(foldRetry):
		}
	}
}
