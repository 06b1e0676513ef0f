// Package silence ends connections whose other side vanished without closing them: those on which the kernel waits for an
// acknowledgement of what was sent.
//
// It opens no connection and sees no data. On systems other than Linux it does nothing, and the kernel's own timeouts apply.
package silence

import (
	"syscall"
	"time"
)

// Limit ends a connection whose other side for that long acknowledges nothing of what was sent, or has no room for more of it,
// even if what waits fits into the system's buffers. Keepalive does not see the former: it is for connections on which
// nothing is under way. The kernel's own patience is a quarter of an hour.
//
// Where the system is not Linux it does nothing. An error means that the connection is closed, or not one of TCP.
func Limit(conn syscall.RawConn, limit time.Duration) error { return set(conn, limit) }
