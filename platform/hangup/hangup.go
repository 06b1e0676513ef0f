// Package hangup reports when clients close their connections. On Linux one goroutine waits for all of them; on other systems each
// connection has its own.
//
// It discards what a client sends meanwhile, and closes no connection: the connection's owner decides what to do about a client
// that has gone.
package hangup

import (
	"errors"
	"net"
	"sync"
	"syscall"
)

// Watcher watches connections. Its methods may be called by several goroutines at once.
type Watcher struct {
	poller poller

	mu      sync.Mutex
	last    key
	watched map[key]*watch // nil once the watcher is closed
}

// key names a watch for as long as the watcher lives; the system uses descriptors again.
type key int64

// watch is a connection that is being watched.
type watch struct {
	key  key
	raw  syscall.RawConn
	told func(error)
}

// Open returns a watcher of nothing. Close it in the end.
func Open() (*Watcher, error) {
	w := &Watcher{watched: map[key]*watch{}}
	if err := w.open(); err != nil {
		return nil, err
	}
	return w, nil
}

// Watch has told called, once, when the client closes the connection or its sending half (with io.EOF), or when the
// connection breaks (with the system's error). told must not wait for anything. No other goroutine may read from the connection:
// what the client sends is discarded.
//
// Call stop before you close the connection. Once the watcher is closed, nothing is told any more.
func (w *Watcher) Watch(conn net.Conn, told func(error)) (stop func(), err error) {
	socket, ok := conn.(syscall.Conn)
	if !ok {
		return nil, errors.New("only a socket of the operating system can be watched")
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return nil, err
	}
	watched := w.register(raw, told)
	if watched == nil {
		return nil, net.ErrClosed
	}
	if err := w.add(watched); err != nil {
		w.forget(watched.key)
		return nil, err
	}
	return func() { w.forget(watched.key) }, nil
}

// Close ends all watches. Calling it again does nothing.
func (w *Watcher) Close() error {
	w.mu.Lock()
	closed := w.watched == nil
	w.watched = nil
	w.mu.Unlock()
	if closed {
		return nil
	}
	return w.shut()
}

// register returns nil when the watcher is closed.
func (w *Watcher) register(raw syscall.RawConn, told func(error)) *watch {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.watched == nil {
		return nil
	}
	w.last++
	watched := &watch{w.last, raw, told}
	w.watched[w.last] = watched
	return watched
}

func (w *Watcher) find(k key) *watch {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.watched[k]
}

// forget reports whether there was such a watch.
func (w *Watcher) forget(k key) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, ok := w.watched[k]
	delete(w.watched, k)
	return ok
}
