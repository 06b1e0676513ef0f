package streaming

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"telltale/modules/streaming/event"
	"telltale/modules/streaming/filter"
	"telltale/modules/streaming/roster"
	"telltale/modules/streaming/wire"
)

// deviceSet has devices as its keys.
type deviceSet = map[string]int32

// step is a step of one pump.
type step struct {
	event.Step
	shared bool // whether the pump's shared buffer has it
}

// pump writes new batches to its parked viewers, whatever waits in one write. It never waits for a socket.
type pump struct {
	hub *Hub
	// pos is the batch up to which the pump has served, or is about to serve, every viewer that was parked before. A
	// viewer that is behind it must not park.
	pos atomic.Int64
	// served is the batch up to which it has done so: a viewer that has been parked since has got everything up to there,
	// even if the pump had nothing for it and did not look at it.
	served atomic.Int64

	own     *event.Buffer // for filtered viewers
	shared  *event.Buffer // for those who see everything
	devices deviceSet     // memory for those of a step
	sender  *wire.Sender

	mu      sync.Mutex
	viewers *roster.Audience[*viewer]
	ended   bool
}

func newPump(hub *Hub) *pump {
	return &pump{
		hub: hub, own: event.NewBuffer(event.StepBytes), shared: event.NewBuffer(event.StepBytes), devices: deviceSet{}, sender: wire.NewSender(),
		viewers: roster.NewAudience[*viewer](),
	}
}

// join adds a viewer, and reports false when the pump has ended.
func (p *pump) join(v *viewer) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.viewers.Add(v, v.topics())
	return !p.ended
}

func (p *pump) leave(v *viewer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.viewers.Remove(v)
}

// members returns the viewers at present.
func (p *pump) members() []*viewer { return p.concerned(nil, nil) }

// concerned returns the viewers that events of the devices may concern, in the buffer given; see roster.Audience.
func (p *pump) concerned(buffer []*viewer, devices deviceSet) []*viewer {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.viewers.Concerned(buffer[:0], devices)
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
	stamp := p.hub.window.Head()
	p.begin(stamp)
	var concerned []*viewer
	for {
		s, changed := p.next(stamp)
		p.pos.Store(s.To) // before viewers are looked at: who joins or parks from now on has to be past it
		// Asked no earlier: a viewer that has heard of another log already, and found this pump's position behind its own in
		// that one, has parked before. What is left of the old log is not for it.
		if times, head := p.hub.window.Replaced(); times != replaced {
			replaced, stamp = times, head
			p.hub.encoded.Forget()
			p.begin(stamp)
			continue
		}
		if s.To == stamp {
			select {
			case <-changed:
				continue
			case <-ctx.Done():
				return
			}
		}
		stamp = s.To
		concerned = p.concerned(concerned, s.Devices)
		p.serve(&s, concerned)
		p.served.Store(stamp)
		clear(concerned)
	}
}

// next returns the step after stamp, one to stamp when there is none yet, and what then tells of the next.
func (p *pump) next(stamp int64) (step, <-chan struct{}) {
	batches, changed, ok := p.hub.window.Next(stamp)
	switch {
	case !ok: // the pump has fallen behind the window, or that has just been loaded, perhaps with a log that is shorter
		return step{Step: event.Step{From: stamp, To: max(stamp, p.hub.window.Head())}}, changed
	case len(batches) == 0:
		return step{Step: event.Step{From: stamp, To: stamp}}, changed
	}
	return step{Step: p.hub.encoded.Plan(stamp, batches, p.devices)}, changed
}

// begin has every viewer read on by itself to stamp, the head of a log of which the pump has served nothing.
func (p *pump) begin(stamp int64) {
	p.each((*viewer).keepUp)                    // while it is known how far they had come
	p.served.Store(min(p.served.Load(), stamp)) // it is never beyond pos
	p.pos.Store(stamp)                          // before they wake, or they could not park
	p.each((*viewer).wake)
	p.served.Store(stamp)
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
		p.hub.metrics.Deliver(s.Committed)
	}
	p.hub.metrics.Events.Add(float64(events))
	p.hub.metrics.Bytes.Add(float64(bytes))
}

// fillShared makes the buffer for viewers that see everything and are at the step's beginning.
func fillShared(t *event.Buffer, s *step) {
	t.Reset()
	everything := filter.Filter{}
	t.To = event.Position{Stamp: s.From}
	for _, part := range s.Parts {
		t.To = t.Take(&everything, part, t.To)
	}
}

// push writes the step to one viewer, if it is parked and not beyond the step. It returns what was written.
func (p *pump) push(v *viewer, s *step, now time.Time) (events, bytes int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	end := event.Position{Stamp: s.To}
	if v.buckets != nil && v.state == parked {
		v.overlook(&s.Step)
	}
	if v.state != parked || v.paced() {
		return 0, 0
	}
	if v.keepUp(); !v.pos.Before(end) {
		return 0, 0
	}
	t := p.bufferFor(v, s)
	if t == nil {
		p.handBack(v)
		return 0, 0
	}
	if len(t.Text()) == 0 {
		v.pos = end
		v.show()
		return 0, 0
	}
	bytes = v.sendAtOnce(p.sender, t.Text())
	events = v.account(t, bytes, now)
	if bytes == len(t.Text()) {
		v.pos = end // past batches at the end of the step that have no events
	} else {
		p.handBack(v)
	}
	v.show()
	return events, bytes
}

// handBack has the viewer read on by itself. The caller holds its mu.
func (p *pump) handBack(v *viewer) {
	p.hub.metrics.Wakes.Inc()
	v.wake()
}

// bufferFor returns what the step holds for the viewer, nil when it has to read that by itself.
func (p *pump) bufferFor(v *viewer, s *step) *event.Buffer {
	switch {
	case s.Devices == nil:
		return nil
	case !v.filter.Concerns(s.Devices):
		p.own.Reset()
		return p.own
	case !s.Whole:
		return nil
	case v.filter.All() && v.pos == event.Position{Stamp: s.From}:
		if !s.shared {
			fillShared(p.shared, s)
			s.shared = true
		}
		return p.shared
	}
	p.own.Reset()
	pos := v.pos
	for _, part := range s.Parts {
		if !v.filter.Knows(part.Devices()) {
			return nil // the database has to be asked, which no pump waits for
		}
		if pos = p.own.Take(&v.filter, part, pos); pos.Before(part.End()) {
			return nil // more than fits into one write
		}
	}
	p.own.To = pos
	return p.own
}
