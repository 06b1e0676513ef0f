package streaming

import (
	"context"

	"telltale/modules/streaming/backlog"
)

// attended runs something that may take long, with a context that ends when the stream has to; the error then is errEnding.
// Only the viewer's own goroutine may call it; run must leave the connection alone.
func (v *viewer) attended(ctx context.Context, run func(ctx context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if expires := v.request.Principal.Expires; !expires.IsZero() {
		var stop func()
		ctx, stop = context.WithDeadlineCause(ctx, expires, errEnding)
		defer stop()
	}
	if !v.onEnd(func() { cancel(errEnding) }) {
		return errEnding
	}
	defer v.onEnd(nil)
	err := run(ctx)
	if ended := context.Cause(ctx); err != nil && ended != nil {
		err = ended
	}
	return err
}

// onEnd has something done when the stream has to end, nothing if that is nil. It is false when the stream has to end already.
func (v *viewer) onEnd(interrupt func()) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.interrupt = interrupt
	return v.state != ending
}

// awaitTurn takes one of the turns, which has to be given back. The error is errEnding when the stream has to end meanwhile.
func (v *viewer) awaitTurn(turns *backlog.Scheduler, near bool) error {
	if turns.Try() {
		return nil
	}
	return v.attended(v.hub.work, func(ctx context.Context) error { return turns.Take(ctx, v.pos.Stamp, near) })
}
