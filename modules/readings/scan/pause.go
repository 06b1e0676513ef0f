package scan

import (
	"context"
	"sync/atomic"

	"telltale/modules/readings/turns"
)

const (
	// maxKept is how many bytes of chunks one query keeps in memory while its client does not read, maxKeptByAll how many
	// all queries keep. A query whose rest is longer keeps its permit and connection, for a few seconds only.
	maxKept      = 16 << 20
	maxKeptByAll = 128 << 20
)

// Pause gives back what others need while the client of a query does not read: the rest of the chunks is read into memory,
// so that the connection goes back, and then the permit. Either its query or the client's wait uses it, never both at once.
type Pause struct {
	ctx    context.Context
	turn   *turns.Turn
	all    *atomic.Int64 // bytes kept by all queries
	rows   *keptRows     // under way; nil for none
	pinned bool          // what is under way cannot be given back
	left   bool          // the permit has been given back
}

// NewPause returns the pause of a query that has a turn and ends with ctx. all counts the bytes kept by all queries.
func NewPause(ctx context.Context, turn *turns.Turn, all *atomic.Int64) *Pause {
	return &Pause{ctx: ctx, turn: turn, all: all}
}

// hold has rows read by way of the pause until letGo; release gives their connection back. A nil pause holds nothing.
func (p *Pause) hold(from rows, release func()) rows {
	if p == nil {
		return from
	}
	p.rows = &keptRows{from: from, release: release, all: p.all}
	return p.rows
}

// letGo ends hold and pin.
func (p *Pause) letGo() {
	if p == nil {
		return
	}
	if p.rows != nil {
		p.rows.forget()
	}
	p.rows, p.pinned = nil, false
}

// pin says that rows are under way which are not held.
func (p *Pause) pin() {
	if p != nil {
		p.pinned = true
	}
}

// Wait implements httpserver.Waits.
func (p *Pause) Wait(over <-chan struct{}) (patient bool) {
	if p.pinned || p.rows != nil && !p.rows.keep(over) {
		return false
	}
	p.turn.Leave()
	p.left = true
	return true
}

// Resume implements httpserver.Waits. It waits for a permit, at most until the query's time is over.
func (p *Pause) Resume() error {
	if !p.left {
		return nil
	}
	p.left = false
	return p.turn.Again(p.ctx)
}
