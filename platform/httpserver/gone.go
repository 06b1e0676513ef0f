package httpserver

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
)

// ErrGone is the cause of a context that ended because the client has closed its connection.
var ErrGone = errors.New("the client has gone")

// goneAfter is how long a handler works before its client is watched: for shorter work watching costs more than it saves.
const goneAfter = 50 * time.Millisecond

// WhileConnected returns the request's context, which also ends, with the cause ErrGone, when the client closes its
// connection: fasthttp itself notices that with the next write only. A client that has sent a further request already
// (pipelining) is not watched. Call stop before the handler returns. Where the platform cannot tell, and in app.Test, the
// context ends with stop only.
func WhileConnected(c *fiber.Ctx) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(c.UserContext())
	own := connOf(c.Context().Conn())
	if own == nil {
		return ctx, func() { cancel(nil) }
	}
	var watching sync.WaitGroup
	watching.Add(1)
	timer := time.AfterFunc(goneAfter, func() {
		defer watching.Done()
		if waitGone(own.Conn, ctx.Done()) {
			own.gone.Store(true)
			cancel(ErrGone)
		}
	})
	return ctx, func() {
		cancel(nil)
		if timer.Stop() {
			watching.Done()
			return
		}
		watching.Wait()
	}
}

// Blame returns what a request's error is to be taken for: an error of a request whose client has closed its connection is
// an ErrGone, not a failure of the server.
func Blame(c *fiber.Ctx, err error) error {
	own := connOf(c.Context().Conn())
	if err == nil || own == nil || !own.gone.Load() || errors.Is(err, ErrGone) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrGone, err)
}
