package streaming

import (
	"context"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// stepBatches is the most batches that a pump joins into one write to each viewer.
	stepBatches = 1024
	// stepBytes is the most text that it joins. A larger batch is left to the viewers whom it concerns, each of which reads on
	// by itself.
	stepBytes = 256 << 10
	// stepReadings is from where on a batch is taken for too large without having been encoded.
	stepReadings = 8 * sheetReadings
)

// pump writes new batches to its parked viewers, whatever waits in one write. It never waits for a socket.
type pump struct {
	hub *Hub
	// pos is the batch up to which the pump has served, or is about to serve, every viewer that was parked before. A
	// viewer that is behind it must not park.
	pos atomic.Int64

	own     tray // for filtered viewers
	shared  tray // for those who see everything
	target  []byte
	sent    int
	attempt func(fd uintptr) bool // writes target; made once

	mu      sync.Mutex
	viewers []*viewer
	ended   bool
}

func newPump(hub *Hub) *pump {
	p := &pump{hub: hub, own: tray{limit: stepBytes}, shared: tray{limit: stepBytes}}
	p.attempt = func(fd uintptr) bool {
		p.sent, _ = writeSome(fd, p.target)
		return true
	}
	return p
}

// join adds a viewer, and reports false when the pump has ended.
func (p *pump) join(v *viewer) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.viewers = append(p.viewers, v)
	v.member = len(p.viewers) - 1
	return !p.ended
}

func (p *pump) leave(v *viewer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := len(p.viewers) - 1
	p.viewers[v.member] = p.viewers[last]
	p.viewers[v.member].member = v.member
	p.viewers[last] = nil
	p.viewers = p.viewers[:last]
}

// members returns the viewers at present, in the buffer given.
func (p *pump) members(buffer []*viewer) []*viewer {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append(buffer[:0], p.viewers...)
}

// endAll ends every viewer, and those that join later.
func (p *pump) endAll(why reason) {
	p.mu.Lock()
	p.ended = true
	p.mu.Unlock()
	for _, v := range p.members(nil) {
		v.end(why)
	}
}

// run serves viewers until ctx ends.
func (p *pump) run(ctx context.Context) {
	seq := p.hub.window.Head()
	p.pos.Store(seq)
	replaced, _ := p.hub.window.Replaced()
	var members []*viewer
	for {
		batches, changed, ok := p.hub.window.Next(seq)
		if times, head := p.hub.window.Replaced(); times != replaced {
			replaced, seq = times, head
			p.restart(seq)
			continue
		}
		if ok && len(batches) == 0 {
			select {
			case <-changed:
				continue
			case <-ctx.Done():
				return
			}
		}
		s := step{from: seq, to: p.hub.window.Head()}
		if ok {
			s = p.hub.sheets.plan(seq, batches)
		} // else it has fallen behind the window, or the window has just been loaded
		seq = s.to
		p.pos.Store(seq) // before members: who joins or parks from now on has to be past seq
		members = p.members(members)
		p.serve(&s, members)
		clear(members)
	}
}

// restart has every viewer take notice that the log is another one, with its head at seq.
func (p *pump) restart(seq int64) {
	p.hub.backlog.kept.clear()
	p.pos.Store(seq)
	for _, v := range p.members(nil) {
		v.mu.Lock()
		v.wake()
		v.mu.Unlock()
	}
}

// serve writes a step to every viewer that is parked.
func (p *pump) serve(s *step, members []*viewer) {
	now := time.Now()
	events, bytes := 0, 0
	for _, v := range members {
		e, b := p.push(v, s, now)
		events, bytes = events+e, bytes+b
	}
	if events > 0 {
		p.hub.metrics.delay.Observe(time.Since(s.committed).Seconds())
	}
	p.hub.metrics.events.Add(float64(events))
	p.hub.metrics.bytes.Add(float64(bytes))
}

// fillShared makes the tray of everyone who sees everything and is at the step's beginning.
func fillShared(t *tray, s *step) {
	t.reset()
	everything := filter{}
	t.to = Position{Seq: s.from}
	for _, made := range s.sheets {
		t.to = everything.take(t, made, t.to)
	}
}

// push writes the step to one viewer, if it is parked and not beyond the step. It returns what was written.
func (p *pump) push(v *viewer, s *step, now time.Time) (events, bytes int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	end := Position{Seq: s.to}
	if v.buckets != nil && v.parked {
		v.overlook(s)
	}
	if !v.parked || v.paced() || !v.pos.before(end) {
		return 0, 0
	}
	t := p.trayFor(v, s)
	if t == nil {
		p.handBack(v)
		return 0, 0
	}
	if len(t.text) == 0 {
		v.pos = end
		v.show()
		return 0, 0
	}
	bytes = p.send(v.raw, t.text)
	events = v.account(t, bytes, now)
	if bytes == len(t.text) {
		v.pos = end // past batches at the end of the step that have no events
	} else {
		p.handBack(v)
	}
	v.show()
	return events, bytes
}

// handBack has the viewer read on by itself. The caller holds its mu.
func (p *pump) handBack(v *viewer) {
	p.hub.metrics.wakes.Inc()
	v.wake()
}

// trayFor returns what the step holds for the viewer, nil when it has to read that by itself.
func (p *pump) trayFor(v *viewer, s *step) *tray {
	switch {
	case s.devices == nil, v.pos.Seq < s.from:
		return nil
	case !v.filter.concerns(s.devices):
		p.own.reset()
		return &p.own
	case !s.whole:
		return nil
	case v.filter.all() && v.pos == Position{Seq: s.from}:
		if !s.shared {
			fillShared(&p.shared, s)
			s.shared = true
		}
		return &p.shared
	}
	p.own.reset()
	pos := v.pos
	for _, made := range s.sheets {
		if !v.filter.knows(made.devices) {
			return nil // the database has to be asked, which no pump waits for
		}
		if pos = v.filter.take(&p.own, made, pos); pos.before(made.end) {
			return nil // more than fits into one write
		}
	}
	p.own.to = pos
	return &p.own
}

// send writes what the socket takes at once. Errors are left to the viewer, who meets them again.
func (p *pump) send(raw syscall.RawConn, text []byte) int {
	p.target, p.sent = text, 0
	_ = raw.Write(p.attempt)
	return p.sent
}
