package streaming

import "time"

// park makes pump and alarms write from now on, unless the pump is ahead already: then there is more to read. Once it has
// returned true, the viewer may be at work in another goroutine.
func (v *viewer) park() bool {
	v.skim()
	v.mu.Lock()
	defer v.mu.Unlock()
	behind := v.pump.pos.Load() > v.pos.Seq
	if behind && !v.paced() || v.torn() || v.why != "" {
		return false // in the last case, to meet the end
	}
	if behind && v.buckets != nil {
		v.hasten()
	}
	v.parked = true
	v.show()
	v.hub.alarms.set(v, v.alarm())
	return true
}

// keepUp takes a parked viewer to where its pump has served everybody: what lies between did not concern it, or it would be
// there. Paced viewers are served by nobody. The caller holds mu.
func (v *viewer) keepUp() {
	if served := (Position{Seq: v.pump.served.Load()}); v.parked && !v.paced() && v.pos.before(served) {
		v.pos = served
		v.show()
	}
}

// unpark keeps pump and alarms from writing. The caller holds mu.
func (v *viewer) unpark() {
	v.keepUp()
	v.parked = false
}

// wake has a parked viewer read on by itself. The caller holds mu.
func (v *viewer) wake() {
	if v.parked {
		v.unpark()
		v.socket.Go(v.readOn)
	}
}

// readOn is what a viewer does that has been woken.
func (v *viewer) readOn() { v.live(func() error { return nil }) }

// alarm returns when the viewer next has to do something.
func (v *viewer) alarm() time.Time {
	beat := v.wrote.Add(v.hub.cfg.Heartbeat)
	if v.paced() && v.due.Before(beat) {
		beat = v.due
	}
	return v.orExpiry(beat)
}

// ring has a parked viewer do what it is time for: it gets a heartbeat, or reads on by itself.
func (v *viewer) ring(now time.Time, s *sender) {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case !v.parked:
		return // parking sets the alarm
	case v.expired(now), v.paced() && !now.Before(v.due), !now.Before(v.wrote.Add(v.hub.cfg.Heartbeat)) && !v.beat(now, s):
		v.wake()
		return
	}
	v.hub.alarms.set(v, v.alarm())
}

// beat writes a heartbeat, with the viewer's place if the client does not know it. It reports whether the socket has taken
// it. The caller holds mu.
func (v *viewer) beat(now time.Time, s *sender) bool {
	v.keepUp()
	s.words = append(s.words[:0], heartbeat...)
	if v.told.before(v.pos) {
		s.words = appendPosition(s.words[:len(s.words)-1], v.pos)
		v.told = v.pos
	}
	n := s.send(v.raw, s.words)
	v.rest = append(v.rest, s.words[n:]...)
	v.wrote = now
	v.bytes += int64(n)
	v.hub.metrics.bytes.Add(float64(n))
	v.show()
	return len(v.rest) == 0
}
