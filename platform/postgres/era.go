package postgres

import (
	"context"
	"sync/atomic"
)

// eras are the times in which the database is there. Those who wait for a connection wait until the end of an era at most.
type eras struct {
	current atomic.Pointer[era]
}

type era struct {
	context.Context
	end context.CancelFunc
}

// Load returns the current era, which may have ended.
func (e *eras) Load() context.Context { return e.current.Load() }

// begin begins an era; the one before has ended by then.
func (e *eras) begin() {
	if before := e.current.Load(); before != nil {
		before.end()
	}
	ctx, end := context.WithCancel(context.Background())
	e.current.Store(&era{ctx, end})
}

// end ends the era.
func (e *eras) end() { e.current.Load().end() }
