package httpserver

import (
	"net"
	"runtime/debug"
	"time"

	"github.com/gofiber/fiber/v2"
	"go.uber.org/zap"
)

// Hijack hands the request's connection to serve, which runs after the handler has returned and owns the connection until
// it returns itself; then the connection is closed. Before that, the answer's status and header, as they are now, have
// been sent, with "Connection: close": whatever serve writes is the body, and its end is the connection's.
//
// Nothing of the request survives into serve (copy what it needs), and neither do fasthttp's buffers: an open stream
// costs the connection and a goroutine. Deadlines are serve's business. The server's Stop waits for serve, which has to
// watch Drain.Draining; after Stop's limit the connection is cut. Call Hijack last in a handler and return its error.
func Hijack(c *fiber.Ctx, serve func(net.Conn)) error {
	c.Context().SetConnectionClose()
	head := c.Response().Header.AppendBytes(nil)
	take(c, false, func(nc net.Conn) {
		if err := nc.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
			return
		}
		if _, err := nc.Write(head); err != nil {
			return // the client has gone
		}
		if err := nc.SetWriteDeadline(time.Time{}); err != nil {
			return
		}
		serve(nc)
	})
	return nil
}

// take has fasthttp let go of the connection after the handler. Then use runs, in the connection's own goroutine, on
// the bare connection; with resume, fasthttp is given the connection back afterwards.
func take(c *fiber.Ctx, resume bool, use func(net.Conn)) {
	ctx := c.Context()
	ctx.HijackSetNoResponse(true)
	own := connOf(ctx.Conn())
	if own == nil { // app.Test, or a server that is not ours: fasthttp closes the connection by itself
		ctx.Hijack(func(nc net.Conn) { use(nc) })
		return
	}
	own.takeover, own.resume, own.handover = use, resume, make(chan struct{})
	ctx.Hijack(func(nc net.Conn) {
		own.leftover = buffered(nc)
		own.taken.Store(true)
	})
}

// buffered takes what fasthttp has read ahead out of its buffer, which then goes back to its pool.
func buffered(nc net.Conn) []byte {
	if nc.SetReadDeadline(time.Now().Add(-time.Second)) != nil { // reads of the socket itself end at once
		return nil
	}
	var ahead []byte
	var part [512]byte
	for {
		n, err := nc.Read(part[:])
		ahead = append(ahead, part[:n]...)
		if err != nil { // the deadline's
			break
		}
	}
	_ = nc.SetReadDeadline(time.Time{}) // a connection on which this fails is closed, which the next read reports
	return ahead
}

// serve runs the connection from its first request to its end, in the one goroutine that it has. What goes wrong has been
// answered and logged where it did.
func (c *conn) serve() {
	defer c.contain()
	for {
		_ = c.server.app.Server().ServeConn(c)
		if c.takeover == nil || c.closed.Load() {
			return
		}
		<-c.handover
		use, resume := c.takeover, c.resume
		c.takeover, c.handover = nil, nil
		use(c.Conn)
		if !resume || c.server.drain.Active() {
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
		c.server.log.WithOptions(zap.AddStacktrace(never)).Error("connection's goroutine panicked",
			zap.Error(&panicError{value: value}), zap.ByteString("stacktrace", debug.Stack()))
		_ = c.Conn.Close()
		c.server.forget(c)
	}
}
