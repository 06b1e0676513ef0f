package streaming

import (
	"context"
	"sync"
	"sync/atomic"
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
	// served is the batch up to which it has done so: a viewer that has been parked since has got everything up to there,
	// even if the pump had nothing for it and did not look at it.
	served atomic.Int64

	own     tray      // for filtered viewers
	shared  tray      // for those who see everything
	devices deviceSet // memory for those of a step
	sender  *sender

	mu      sync.Mutex
	viewers audience
	ended   bool
}

func newPump(hub *Hub) *pump {
	return &pump{
		hub: hub, own: tray{limit: stepBytes}, shared: tray{limit: stepBytes}, devices: deviceSet{}, sender: newSender(),
		viewers: audience{by: map[string][]*viewer{}},
	}
}

// join adds a viewer, and reports false when the pump has ended.
func (p *pump) join(v *viewer) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.viewers.add(v)
	return !p.ended
}

func (p *pump) leave(v *viewer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.viewers.remove(v)
}

// members returns the viewers at present.
func (p *pump) members() []*viewer { return p.concerned(nil, nil) }

// concerned returns the viewers whom events of the devices may concern, in the buffer given; see audience.concerned.
func (p *pump) concerned(buffer []*viewer, devices deviceSet) []*viewer {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.viewers.concerned(buffer[:0], devices)
}

// endAll ends every viewer, and those that join later.
func (p *pump) endAll(why reason) {
	p.mu.Lock()
	p.ended = true
	p.mu.Unlock()
	for _, v := range p.members() {
		v.end(why)
	}
}

// run serves viewers until ctx ends.
func (p *pump) run(ctx context.Context) {
	replaced, _ := p.hub.window.Replaced()
	seq := p.hub.window.Head()
	p.begin(seq)
	var concerned []*viewer
	for {
		s, changed := p.next(seq)
		p.pos.Store(s.to) // before viewers are looked at: who joins or parks from now on has to be past it
		// Asked no earlier: a viewer that has heard of another log already, and found this pump's place behind its own in
		// that one, has parked before. What is left of the old log is not for it.
		if times, head := p.hub.window.Replaced(); times != replaced {
			replaced, seq = times, head
			p.begin(seq)
			continue
		}
		if s.to == seq {
			select {
			case <-changed:
				continue
			case <-ctx.Done():
				return
			}
		}
		seq = s.to
		concerned = p.concerned(concerned, s.devices)
		p.serve(&s, concerned)
		p.served.Store(seq)
		clear(concerned)
	}
}

// next returns the step after seq, one to seq when there is none yet, and what then tells of the next.
func (p *pump) next(seq int64) (step, <-chan struct{}) {
	batches, changed, ok := p.hub.window.Next(seq)
	switch {
	case !ok: // the pump has fallen behind the window, or that has just been loaded, perhaps with a log that is shorter
		return step{from: seq, to: max(seq, p.hub.window.Head())}, changed
	case len(batches) == 0:
		return step{from: seq, to: seq}, changed
	}
	return p.hub.sheets.plan(seq, batches, p.devices), changed
}

// begin has every viewer read on by itself to seq, the head of a log of which the pump has served nothing.
func (p *pump) begin(seq int64) {
	p.each((*viewer).keepUp)                  // while it is known how far they had come
	p.served.Store(min(p.served.Load(), seq)) // it is never beyond pos
	p.pos.Store(seq)                          // before they wake, or they could not park
	p.each((*viewer).wake)
	p.served.Store(seq)
}

// each does something with every viewer, whose mu is held meanwhile.
func (p *pump) each(do func(*viewer)) {
	for _, v := range p.members() {
		v.mu.Lock()
		do(v)
		v.mu.Unlock()
	}
}

// serve writes a step to those viewers that are parked.
func (p *pump) serve(s *step, viewers []*viewer) {
	now := time.Now()
	events, bytes := 0, 0
	for _, v := range viewers {
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
	if !v.parked || v.paced() {
		return 0, 0
	}
	if v.keepUp(); !v.pos.before(end) {
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
	bytes = p.sender.send(v.raw, t.text)
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
	case s.devices == nil:
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
