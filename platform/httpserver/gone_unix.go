//go:build linux || darwin || freebsd

package httpserver

import (
	"errors"
	"net"
	"syscall"
	"time"
)

// goneInterval is how often the connection is looked at.
const goneInterval = 50 * time.Millisecond

// waitGone looks at a connection, without reading from it, until the client has closed it (true), has sent something, or
// done is closed (false).
func waitGone(nc net.Conn, done <-chan struct{}) bool {
	conn, ok := nc.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return false
	}
	ticker := time.NewTicker(goneInterval)
	defer ticker.Stop()
	for {
		if ended, told := peek(raw); told {
			return ended
		}
		select {
		case <-done:
			return false
		case <-ticker.C:
		}
	}
}

// peek looks at what there is to read. told is false as long as there is nothing.
func peek(raw syscall.RawConn) (ended, told bool) {
	var part [1]byte
	n, errno := 0, error(nil)
	err := raw.Control(func(fd uintptr) {
		n, _, errno = syscall.Recvfrom(int(fd), part[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	})
	switch {
	case err != nil: // closed by ourselves
		return false, true
	case errors.Is(errno, syscall.EAGAIN) || errors.Is(errno, syscall.EINTR):
		return false, false
	case errno != nil:
		return true, true
	}
	return n == 0, true
}
