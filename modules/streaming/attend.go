package streaming

import (
	"context"
	"errors"
	"sync"
	"time"
)

// attendInterval is how often a viewer that waits for something else than its connection looks after that.
const attendInterval = 250 * time.Millisecond

// errGone says that the client has closed the connection.
var errGone = errors.New("the client has gone")

// over returns errGone or errEnding when there is no use in going on, without waiting.
func (v *viewer) over() error {
	switch {
	case v.gone():
		return errGone
	case v.endingSoon():
		return errEnding
	}
	return nil
}

// attended runs something that may take long, with a context that ends when the stream is over; the error then is that of
// over. Only the viewer's own goroutine may call it; run must leave the connection alone.
func (v *viewer) attended(ctx context.Context, run func(ctx context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	var watching sync.WaitGroup
	watching.Go(func() {
		look := time.NewTicker(attendInterval)
		defer look.Stop()
		for {
			select {
			case <-look.C:
				if err := v.over(); err != nil {
					cancel(err)
					return
				}
			case <-ctx.Done():
				return
			}
		}
	})
	err := run(ctx)
	if ended := context.Cause(ctx); err != nil && ended != nil {
		err = ended
	}
	cancel(nil)
	watching.Wait()
	return err
}
