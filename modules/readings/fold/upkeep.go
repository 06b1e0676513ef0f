package fold

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"
)

// Maintain keeps the log's blocks ahead of its head and within its retention, gives back what readings past their retention
// take, as far as that does not go by itself within a month, and makes one partition of the months of each year that is over. The
// error is that of giving back.
func (f *Runner) Maintain(ctx context.Context) error {
	if err := f.maintain(ctx, lazily); err != nil {
		return err
	}
	f.mergeByItself(ctx)
	return nil
}

// mergeByItself is mergeYears in the background.
func (f *Runner) mergeByItself(ctx context.Context) {
	if err := f.mergeYears(ctx); err != nil && ctx.Err() == nil && !errors.Is(err, errElsewhere) {
		f.logger.Warn("the months of a year that is over stay partitions of their own for now", zap.Error(err))
	}
}

// maintain keeps the log's blocks ahead of its head and within its retention, and gives back what readings past their
// retention take. The error is that of the latter.
func (f *Runner) maintain(ctx context.Context, how thoroughness) error {
	if err := f.log.EnsureBlocks(ctx); err != nil && ctx.Err() == nil {
		f.logger.Warn("no new block for the log yet", zap.Error(err))
	}
	dropped, err := f.log.DropBlocks(ctx, time.Now().Add(-f.limits.LogRetention))
	if err != nil && ctx.Err() == nil {
		f.logger.Warn("old blocks of the log are kept for now", zap.Error(err))
	}
	if dropped > 0 {
		f.logger.Info("dropped old blocks of the log", zap.Int("blocks", dropped))
	}
	return f.enforceRetention(ctx, how)
}

// maintainByItself is maintain in the background. When another instance is folding, that one sees to it.
func (f *Runner) maintainByItself(ctx context.Context, how thoroughness) error {
	err := f.maintain(ctx, how)
	if err != nil && ctx.Err() == nil && !errors.Is(err, errElsewhere) {
		f.logger.Warn("readings past their retention, which no answer shows, stay on disk for now", zap.Error(err))
	}
	return err
}

// followed is which settings of retention have been acted on.
type followed struct {
	started bool
	changes int64   // of devices' retention
	tries   backOff // after one that has failed
}

// followSettings gives disk back at once when a retention is another one than before: since the last start, or by a change of
// a device. What fails is tried again, a while later.
func (f *Runner) followSettings(ctx context.Context, done *followed, now time.Time) {
	changes := f.registry.RetentionChanges()
	if done.started && done.changes == changes || !done.tries.due(now, true) {
		return
	}
	failed := done.tries.pause > 0
	err := f.maintainByItself(ctx, thoroughness(failed || changes != done.changes))
	switch {
	case err == nil:
		*done = followed{started: true, changes: changes}
	case errors.Is(err, errElsewhere):
		done.tries = backOff{pause: foldCheck, at: now.Add(foldCheck)}
	default:
		done.tries.note(err, now)
	}
}
