//go:build !linux

package hangup

import (
	"io"
	"os"
	"syscall"
)

// poller is nothing here: each connection has a goroutine that reads.
type poller struct{}

func (w *Watcher) open() error { return nil }

// shut leaves the goroutines alone: each goes with its connection.
func (w *Watcher) shut() error { return nil }

func (w *Watcher) add(watched *watch) error {
	go func() {
		ended := drain(watched.raw)
		if w.forget(watched.key) {
			watched.told(ended)
		}
	}()
	return nil
}

// drain discards what the client sends, until nothing else will come.
func drain(raw syscall.RawConn) error {
	var part [64]byte
	for {
		n, failed := 0, error(nil)
		err := raw.Read(func(fd uintptr) bool {
			n, failed = syscall.Read(int(fd), part[:])
			return failed != syscall.EAGAIN
		})
		switch {
		case err != nil:
			return err
		case failed != nil && failed != syscall.EINTR:
			return os.NewSyscallError("read", failed)
		case failed == nil && n == 0:
			return io.EOF
		}
	}
}
