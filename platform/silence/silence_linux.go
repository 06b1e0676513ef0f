package silence

import (
	"os"
	"syscall"
	"time"
)

// userTimeout is TCP_USER_TIMEOUT of tcp(7), in milliseconds.
const userTimeout = 0x12

func set(conn syscall.RawConn, limit time.Duration) error {
	var failed error
	err := conn.Control(func(fd uintptr) {
		failed = os.NewSyscallError("setsockopt", syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, userTimeout, int(limit.Milliseconds())))
	})
	if err != nil {
		return err
	}
	return failed
}
