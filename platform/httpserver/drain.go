package httpserver

import (
	"context"
	"sync"
)

// Drain is the news that the server is about to stop. It is a value of its own so that handlers which outlive their
// request (streams) can watch it without knowing the server, which is built after them.
type Drain struct {
	once sync.Once
	done chan struct{}
	// work is the context of every request.
	work context.Context
	cut  context.CancelFunc
	// last is what the server does when it has stopped.
	last []func()
}

// NewDrain returns a Drain that has not begun.
func NewDrain() *Drain {
	work, cut := context.WithCancel(context.Background())
	return &Drain{done: make(chan struct{}), work: work, cut: cut}
}

// Draining is closed when the server begins to stop: end streams now, take no new work.
func (d *Drain) Draining() <-chan struct{} { return d.done }

// Active reports whether the server has begun to stop.
func (d *Drain) Active() bool {
	select {
	case <-d.done:
		return true
	default:
		return false
	}
}

// Context is the context of every request; it ends when the server has waited for them long enough.
func (d *Drain) Context() context.Context { return d.work }

// Finally has f called when the server has stopped. It is for those that build the app, before the server starts.
func (d *Drain) Finally(f func()) { d.last = append(d.last, f) }

// begin closes Draining. Only the server calls it; further calls do nothing.
func (d *Drain) begin() { d.once.Do(func() { close(d.done) }) }

// end is called once the last request has been answered.
func (d *Drain) end() {
	for _, f := range d.last {
		f()
	}
}
