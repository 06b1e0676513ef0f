package hangup

import (
	"errors"
	"io"
	"os"
	"syscall"
)

// poller is an epoll instance for those watched, which itself is watched by that of the Go runtime: so its one goroutine
// needs no thread.
type poller struct {
	file  *os.File
	raw   syscall.RawConn
	ended chan struct{}
}

// interest has the system tell once that there is something to be read, an end or an error included.
const interest = syscall.EPOLLIN | syscall.EPOLLRDHUP | syscall.EPOLLONESHOT

func (w *Watcher) open() error {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return os.NewSyscallError("epoll_create1", err)
	}
	if err := syscall.SetNonblock(fd, true); err != nil { // or the runtime would not watch it
		_ = syscall.Close(fd)
		return os.NewSyscallError("fcntl", err)
	}
	file := os.NewFile(uintptr(fd), "epoll")
	raw, err := file.SyscallConn()
	if err != nil {
		_ = file.Close()
		return err
	}
	w.poller = poller{file, raw, make(chan struct{})}
	go w.run()
	return nil
}

// shut returns when the watcher's goroutine has ended.
func (w *Watcher) shut() error {
	err := w.poller.file.Close()
	<-w.poller.ended
	return err
}

func (w *Watcher) add(watched *watch) error { return w.control(syscall.EPOLL_CTL_ADD, watched) }

func (w *Watcher) control(operation int, watched *watch) (err error) {
	event := syscall.EpollEvent{Events: interest, Fd: int32(watched.key), Pad: int32(watched.key >> 32)}
	closed := w.poller.raw.Control(func(poll uintptr) {
		gone := watched.raw.Control(func(fd uintptr) {
			err = os.NewSyscallError("epoll_ctl", syscall.EpollCtl(int(poll), operation, int(fd), &event))
		})
		err = errors.Join(err, gone)
	})
	return errors.Join(err, closed)
}

// run looks after connections on which something has come.
func (w *Watcher) run() {
	defer close(w.poller.ended)
	events, buffer := make([]syscall.EpollEvent, 256), make([]byte, 16<<10)
	for {
		n := 0
		err := w.poller.raw.Read(func(poll uintptr) bool {
			n, _ = syscall.EpollWait(int(poll), events, 0)
			return n != 0 // at -1 it was interrupted: to wait then would be to miss what has come already
		})
		if err != nil {
			return // closed
		}
		for _, e := range events[:max(n, 0)] {
			w.look(key(e.Pad)<<32|key(uint32(e.Fd)), buffer)
		}
	}
}

// look discards what the client has sent, in pieces, and tells if that was the end.
func (w *Watcher) look(k key, buffer []byte) {
	watched := w.find(k)
	if watched == nil {
		return
	}
	ended := discard(watched.raw, buffer)
	if ended == nil {
		ended = w.control(syscall.EPOLL_CTL_MOD, watched)
	}
	if ended != nil && w.forget(k) {
		watched.told(ended)
	}
}

// discard reads once. It returns io.EOF or the connection's error when nothing else will come.
func discard(raw syscall.RawConn, buffer []byte) (ended error) {
	closed := raw.Control(func(fd uintptr) {
		n, err := syscall.Read(int(fd), buffer)
		switch {
		case err == nil && n == 0:
			ended = io.EOF
		case err != nil && !errors.Is(err, syscall.EAGAIN) && !errors.Is(err, syscall.EINTR):
			ended = os.NewSyscallError("read", err)
		}
	})
	return errors.Join(ended, closed)
}
