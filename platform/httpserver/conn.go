package httpserver

import (
	"io"
	"net"
	"slices"
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
	// maxHeadRead bounds what is read of a body together with the head before it, and is kept until a handler wants it.
	maxHeadRead = 4 << 10
)

// holder is who has a connection:
//
//	served ──Hijack──► handingOver ──fasthttp's Close──► served ──then is keep──► kept
//	served, kept ──Close──► closed
type holder = int32

const (
	served      holder = iota // fasthttp reads requests from it, or the connection's own goroutine ends an answer
	handingOver               // a handler wants it; fasthttp's next Close gives it back to its own goroutine
	kept                      // a Socket has it, and the server waits until the socket is closed
	closed
)

// conn is one client's connection as fasthttp sees it. It renews the write deadline with each write until its user sets
// deadlines, which fasthttp does when a handler hijacks the connection.
type conn struct {
	net.Conn
	server *Server
	// held is the holder.
	held atomic.Int32
	// manual is set once the connection's user sets deadlines.
	manual atomic.Bool
	// linger is set when a request was refused before it had been read whole.
	linger atomic.Bool
	// gone is set once it is known that the client has closed the connection.
	gone atomic.Bool
	// busy is true from the first byte of a request to the end of its answer.
	busy atomic.Bool
	// head finds where the head of the next request ends; ahead is what has come after it: its body and further requests.
	// Incoming is that body. All three are for the connection's own goroutine.
	head     headScanner
	ahead    []byte
	incoming incoming

	// The hijack under way, if any; see hijack.go. Only the connection's own goroutine uses takeover.
	takeover func(own *conn, nc net.Conn)
	then     afterwards
	handover chan struct{}
}

// Read gives fasthttp the head of a request, to its end at most. What has come after it waits in ahead.
func (c *conn) Read(p []byte) (int, error) {
	if c.head.at == malformed {
		return 0, errMalformedHead
	}
	n, err := ahead{c}.Read(p[:min(len(p), maxHeadRead)])
	if n == 0 {
		return n, err
	}
	c.busy.Store(true)
	fresh := c.head == headScanner{}
	used := c.head.scan(p[:n])
	c.unread(p[used:n])
	switch {
	case used == 0 && fresh: // fasthttp answers nothing to a request of which it has not seen a byte
		p[0] = '?'
		return 1, nil
	case used == 0:
		return 0, errMalformedHead
	}
	return used, nil
}

// unread puts bytes back in front of what is ahead.
func (c *conn) unread(p []byte) {
	if len(p) > 0 {
		c.ahead = append(append(make([]byte, 0, len(p)+len(c.ahead)), p...), c.ahead...)
	}
}

// lookAhead reads at most n bytes more of what is ahead.
func (c *conn) lookAhead(n int) error {
	c.ahead = slices.Grow(c.ahead, n)
	got, err := c.Conn.Read(c.ahead[len(c.ahead) : len(c.ahead)+n])
	c.ahead = c.ahead[:len(c.ahead)+got]
	if got > 0 {
		return nil
	}
	return err
}

func (c *conn) Write(p []byte) (int, error) {
	if err := c.renew(); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

// renew puts the write deadline off, unless the connection's user sets deadlines.
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
	if c.held.CompareAndSwap(handingOver, served) {
		close(c.handover)
		return nil
	}
	before := c.held.Swap(closed)
	if before == closed {
		return nil
	}
	if c.linger.Load() {
		c.drainRefused()
	}
	return c.end(before)
}

// end closes the connection beneath and has the server forget it. Before is who had the connection; closed is ended again
// without harm.
func (c *conn) end(before holder) error {
	err := c.Conn.Close()
	c.server.forget(c)
	if before == kept {
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

// drainRefused reads for a moment after the answer has been sent.
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
