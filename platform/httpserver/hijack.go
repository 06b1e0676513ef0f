package httpserver

import (
	"fmt"
	"net"
	"runtime/debug"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	"go.uber.org/zap"

	"telltale/platform/logging"
)

// Socket is a connection that a handler has taken over: the bare one, so deadlines are its owner's business. It stays open
// until Close, also when no goroutine is at work on it.
type Socket struct {
	net.Conn
	own *conn  // nil for a connection that is not a Server's
	end func() // gives such a connection back
}

// Go runs f in a goroutine of its own, for which the server's Stop waits. If f panics, that is logged and the connection is
// closed. It must not be called after Close.
func (s *Socket) Go(f func()) {
	if s.own == nil {
		go f()
		return
	}
	s.own.server.joined.Go(func() {
		defer s.own.contain()
		f()
	})
}

// Close closes the connection. Calling it again does nothing.
func (s *Socket) Close() error {
	if s.own == nil {
		s.end()
		return nil
	}
	return s.own.Close()
}

// Hijack hands the request's connection to serve, which runs after the handler has returned. Before that, the answer's
// status and header, as they are now, have been sent, with "Connection: close": whatever is written then is the body, and
// its end is the connection's. When the client did not take them the connection is closed by then (net.ErrClosed), and serve
// runs all the same. When it returns, the connection stays open until Socket.Close.
//
// Nothing of the request survives into serve (copy what it needs), and neither do fasthttp's buffers: an open stream costs
// its connection and what serve keeps. The server's Stop waits until the socket is closed: its owner has to watch
// Drain.Draining; after Stop's limit the connection is cut. Call Hijack last in a handler and return its error.
func Hijack(c *fiber.Ctx, serve func(*Socket)) error {
	settle(c)
	c.Context().SetConnectionClose()
	head := c.Response().Header.AppendBytes(nil)
	take(c, keep, func(own *conn, nc net.Conn) {
		socket := &Socket{Conn: nc, own: own}
		if own == nil {
			ended := make(chan struct{})
			socket.end = sync.OnceFunc(func() { close(ended) })
			defer func() { <-ended }()
		}
		if sendHead(nc, head) != nil { // the client has gone, as serve is about to find out
			_ = nc.Close()
		}
		serve(socket)
	})
	return nil
}

func sendHead(nc net.Conn, head []byte) error {
	if err := nc.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	if _, err := nc.Write(head); err != nil {
		return err
	}
	return nc.SetWriteDeadline(time.Time{})
}

// afterwards says what becomes of a connection when the function that has been given it returns.
type afterwards int

const (
	shut   afterwards = iota // it is closed
	resume                   // fasthttp is given it back
	keep                     // it stays open until its Socket is closed
)

// take has fasthttp let go of the connection after the handler. Then use runs, in the connection's own goroutine, on the
// bare connection; own is nil when that is not a Server's.
func take(c *fiber.Ctx, then afterwards, use func(own *conn, nc net.Conn)) {
	ctx := c.Context()
	ctx.HijackSetNoResponse(true)
	own := connOf(ctx.Conn())
	if own == nil { // app.Test, or a server that is not ours: fasthttp closes the connection by itself
		ctx.Hijack(func(nc net.Conn) { use(nil, nc) })
		return
	}
	own.takeover, own.then, own.handover = use, then, make(chan struct{})
	ctx.Hijack(func(net.Conn) { own.held.Store(handingOver) }) // fasthttp's buffer is empty: it reads heads only
}

// serve runs the connection from its first request to its end, or to where a Socket keeps it, in the one goroutine that it
// has. What goes wrong has been answered and logged where it did.
func (c *conn) serve() {
	defer c.contain()
	for {
		_ = c.server.app.Server().ServeConn(c)
		if c.takeover == nil || c.held.Load() == closed {
			return
		}
		<-c.handover
		use := c.takeover
		c.takeover, c.handover = nil, nil
		if c.then == keep {
			c.ahead = nil          // there is no next request
			c.server.joined.Add(1) // until it is closed
			c.held.Store(kept)
			use(c, c.Conn)
			return
		}
		use(c, c.Conn)
		if c.then == shut || c.server.drain.Active() {
			_ = c.Close() // an error means that the client was quicker
			return
		}
		c.manual.Store(false)
		c.busy.Store(false)
		if c.server.isStopping() {
			c.endInput()
		}
	}
}

// contain keeps a panic outside of any handler (of a hijacked one, or of a body that fasthttp reads) from ending the
// program; it ends the connection.
func (c *conn) contain() {
	if value := recover(); value != nil {
		logging.WithStack(c.server.log, debug.Stack()).Error("connection's goroutine panicked",
			zap.Error(fmt.Errorf("panic: %v", value)))
		_ = c.end(c.held.Swap(closed))
	}
}
