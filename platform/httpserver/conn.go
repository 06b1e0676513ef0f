package httpserver

import (
	"io"
	"net"
	"sync/atomic"
	"time"
)

const (
	// writeTimeout is how long a client may take to accept one write of an answer (not the whole of it).
	writeTimeout = 30 * time.Second
	// lingerTimeout and lingerBytes bound how much of a refused request is read on, so that the client gets to see why
	// it was refused: closing a socket with unread bytes resets it, and the answer with it.
	lingerTimeout = 2 * time.Second
	lingerBytes   = 64 << 20
)

// conn is one client's connection as fasthttp sees it. It renews the write deadline with each write until somebody else
// takes charge of deadlines, which fasthttp does when a handler hijacks the connection.
type conn struct {
	net.Conn
	server *Server
	closed atomic.Bool
	// manual is set once deadlines are somebody else's business.
	manual atomic.Bool
	linger atomic.Bool
	// busy is true from the first byte of a request to the end of its answer.
	busy atomic.Bool
	// unflushed is true while an answer may wait in fasthttp's buffer because the client has sent its next request
	// already (pipelining).
	unflushed atomic.Bool

	// The hijack under way, if any; see hijack.go. Only the connection's own goroutine uses takeover, and leftover
	// passes to it by handover.
	takeover func(own *conn, nc net.Conn)
	then     afterwards
	taken    atomic.Bool
	// kept is true while a Socket has the connection, which the server counts among what it waits for.
	kept     atomic.Bool
	handover chan struct{}
	leftover []byte
}

func (c *conn) Read(p []byte) (int, error) {
	if len(c.leftover) > 0 {
		n := copy(p, c.leftover)
		c.leftover = c.leftover[n:]
		c.busy.Store(true)
		return n, nil
	}
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.busy.Store(true)
		c.unflushed.Store(false) // fasthttp flushes before it waits for more
	}
	return n, err
}

func (c *conn) Write(p []byte) (int, error) {
	if err := c.renew(); err != nil {
		return 0, err
	}
	c.unflushed.Store(false)
	return c.Conn.Write(p)
}

// renew puts the write deadline off, unless deadlines are somebody else's.
func (c *conn) renew() error {
	if c.manual.Load() {
		return nil
	}
	return c.Conn.SetWriteDeadline(time.Now().Add(writeTimeout))
}

func (c *conn) SetDeadline(t time.Time) error {
	c.manual.Store(true)
	return c.Conn.SetDeadline(t)
}

func (c *conn) SetWriteDeadline(t time.Time) error {
	c.manual.Store(true)
	return c.Conn.SetWriteDeadline(t)
}

// Close ends the connection. The Close with which fasthttp ends a hijack only hands the connection back.
func (c *conn) Close() error {
	if c.taken.CompareAndSwap(true, false) {
		close(c.handover)
		return nil
	}
	if !c.closed.CompareAndSwap(false, true) {
		return nil
	}
	if c.linger.Load() {
		c.drainRefused()
	}
	return c.end()
}

// end closes the connection beneath and has the server forget it. Once is enough, twice does no harm.
func (c *conn) end() error {
	err := c.Conn.Close()
	c.server.forget(c)
	if c.kept.CompareAndSwap(true, false) {
		c.server.joined.Done()
	}
	return err
}

// endInput makes the next read report the end of the input, once what has arrived already has been read: a request that
// crosses the server's stop on its way is still answered.
func (c *conn) endInput() {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		_ = tcp.CloseRead() // an error means that it is closed already
		return
	}
	_ = c.Conn.Close()
}

// drainRefused reads on for a moment after the answer has been sent.
func (c *conn) drainRefused() {
	tcp, ok := c.Conn.(*net.TCPConn)
	if !ok || tcp.CloseWrite() != nil || tcp.SetReadDeadline(time.Now().Add(lingerTimeout)) != nil {
		return
	}
	_, _ = io.CopyN(io.Discard, tcp, lingerBytes) // whatever comes is unwanted, and so is the error
}

// lingerOnClose marks the connection of a request that was refused before it had been read whole.
func lingerOnClose(nc net.Conn) {
	if c := connOf(nc); c != nil {
		c.linger.Store(true)
	}
}

// connOf finds our connection beneath fasthttp's, nil when it is not one of a Server (as in app.Test).
func connOf(nc net.Conn) *conn {
	if hijacked, ok := nc.(interface{ UnsafeConn() net.Conn }); ok {
		nc = hijacked.UnsafeConn()
	}
	c, _ := nc.(*conn)
	return c
}
