package streaming

import (
	"time"

	"telltale/modules/streaming/event"
	"telltale/modules/streaming/wire"
)

// park makes pump and alarms write from now on, unless the pump is ahead already: then there is more to read. Once it has
// returned true, the viewer may be at work in another goroutine.
func (v *viewer) park() bool {
	v.skim()
	v.mu.Lock()
	defer v.mu.Unlock()
	behind := v.pump.pos.Load() > v.pos.Stamp
	if behind && !v.paced() || v.inOtherLog() || v.state == ending {
		return false // in the last case, to meet the end
	}
	if behind && v.buckets != nil {
		v.hasten()
	}
	v.state = parked
	v.show()
	v.hub.alarms.Set(v, v.nextAlarm())
	return true
}

// keepUp moves a parked viewer to the position up to which its pump has served all viewers: what lies between did not
// concern it, or it would be there already. Pumps do not serve paced viewers. The caller holds mu.
func (v *viewer) keepUp() {
	if served := (event.Position{Stamp: v.pump.served.Load()}); v.state == parked && !v.paced() && v.pos.Before(served) {
		v.pos = served
		v.show()
	}
}

// unpark keeps pump and alarms from writing. The caller holds mu.
func (v *viewer) unpark() {
	v.keepUp()
	v.state = awake
}

// wake has a parked viewer read on by itself. The caller holds mu.
func (v *viewer) wake() {
	if v.state == parked {
		v.unpark()
		v.conn.Go(v.readOn)
	}
}

// readOn is what a viewer does that has been woken.
func (v *viewer) readOn() { v.live(func() error { return nil }) }

// nextAlarm returns when the viewer next has to do something.
func (v *viewer) nextAlarm() time.Time {
	beat := v.wrote.Add(v.hub.cfg.Heartbeat)
	if v.paced() && v.due.Before(beat) {
		beat = v.due
	}
	return v.orExpiry(beat)
}

// ring has a parked viewer do what it is time for: it gets a heartbeat, or reads on by itself.
func (v *viewer) ring(now time.Time, b *beater) {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case v.state != parked:
		return // parking sets the alarm
	case v.expired(now), v.paced() && !now.Before(v.due), !now.Before(v.wrote.Add(v.hub.cfg.Heartbeat)) && !v.beat(now, b):
		v.wake()
		return
	}
	v.hub.alarms.Set(v, v.nextAlarm())
}

// beater is what alarms write heartbeats with. One goroutine uses it.
type beater struct {
	sender *wire.Sender
	words  []byte // memory for what is written
}

// beat writes a heartbeat, with the viewer's position if the client does not know it. It reports whether the socket has taken
// it. The caller holds mu.
func (v *viewer) beat(now time.Time, b *beater) bool {
	v.keepUp()
	b.words = append(b.words[:0], event.Heartbeat...)
	if v.told.Before(v.pos) {
		b.words = event.AppendPosition(b.words[:len(b.words)-1], v.pos)
		v.told = v.pos
	}
	n := v.sendAtOnce(b.sender, b.words)
	v.unsent = append(v.unsent, b.words[n:]...)
	v.wrote = now
	v.hub.metrics.Bytes.Add(float64(n))
	v.show()
	return len(v.unsent) == 0
}
