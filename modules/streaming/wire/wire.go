// Package wire writes streams to the sockets of viewers. Every byte of a stream after its response header passes through Write,
// which never waits.
//
// Write has two callers. A viewer's own goroutine waits for the socket between two writes (Conn.WhenWritable). A Sender writes for
// pumps and alarms to parked viewers, and never waits.
//
// The package does not know what it writes. It keeps nothing of what a socket did not take: that is up to the viewer.
package wire

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"

	"telltale/platform/hangup"
	"telltale/platform/httpserver"
	"telltale/platform/silence"
)

// socketBytes bounds what the kernel buffers for one viewer. Without a bound it would grow to megabytes: memory for each slow
// viewer, and a queue so long that a slow but steady client would seem to take nothing for a whole write timeout.
const socketBytes = 128 << 10

// Conn is the connection of one viewer.
type Conn struct {
	*httpserver.Socket
	raw     syscall.RawConn
	unwatch func() // ends the watch for the client's end
}

// Prepare prepares the connection for writes, and calls gone when it ends. The kernel ends a connection whose client acknowledges
// nothing for the timeout.
func (c *Conn) Prepare(hangups *hangup.Watcher, timeout time.Duration, gone func(error)) (err error) {
	conn, ok := c.Conn.(syscall.Conn)
	if !ok {
		return errors.New("a stream needs a socket of the operating system")
	}
	if c.raw, err = conn.SyscallConn(); err != nil {
		return err
	}
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		// An error of either means that the connection is closed.
		_ = tcp.SetWriteBuffer(socketBytes)
		_ = silence.Limit(c.raw, timeout)
	}
	c.unwatch, err = hangups.Watch(c.Conn, gone)
	return err
}

// Unwatch ends the watch for the client's end, if there is one.
func (c *Conn) Unwatch() {
	if c.unwatch != nil {
		c.unwatch()
	}
}

// WhenWritable runs do, and again each time that the socket has room, until do is done or fails, or the write deadline has
// passed. Only one goroutine at a time may call it.
func (c *Conn) WhenWritable(do func(fd uintptr) (done bool, err error)) error {
	if c.raw == nil {
		return net.ErrClosed // it was never prepared
	}
	var failed error
	if err := c.raw.Write(func(fd uintptr) (done bool) {
		done, failed = do(fd)
		return done || failed != nil
	}); failed == nil {
		return err
	}
	return failed
}

// Write writes what the socket takes without waiting. 0 bytes and no error mean that the socket is full. It must be called within
// WhenWritable.
func Write(fd uintptr, text []byte) (int, error) {
	for {
		n, err := syscall.Write(int(fd), text)
		switch {
		case err == nil:
			return n, nil
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EAGAIN):
			return 0, nil
		default:
			return max(n, 0), fmt.Errorf("writing to a viewer: %w", os.NewSyscallError("write", err))
		}
	}
}
