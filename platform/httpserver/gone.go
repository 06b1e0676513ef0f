package httpserver

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
)

// ErrGone is the cause of a context that ended because the client has closed its connection.
var ErrGone = errors.New("the client has gone")

// goneAfter is how long a handler works before anybody looks whether its client is still there: shorter work is not worth
// it.
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
