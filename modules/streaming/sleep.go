package streaming

import (
	"errors"
	"os"
	"syscall"
	"time"

	"go.uber.org/zap"

	"telltale/modules/readings"
)

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
		return // it sets the alarm when it parks
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

// expired reports whether the credentials have ended.
func (v *viewer) expired(now time.Time) bool {
	expires := v.request.Principal.Expires
	return !expires.IsZero() && !now.Before(expires)
}

// orExpiry returns the deadline, or when the credentials end if that is before: by the deadline's clock, which nobody sets,
// since alarms have to stay in order.
func (v *viewer) orExpiry(deadline time.Time) time.Time {
	expires := v.request.Principal.Expires
	if expires.IsZero() {
		return deadline
	}
	return deadline.Add(min(0, expires.Sub(deadline)))
}

// endingSoon reports whether the viewer has to end.
func (v *viewer) endingSoon() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.show()
	return v.why != "" || v.expired(time.Now())
}

// ending returns why the stream ended with err. No pump writes any more.
func (v *viewer) ending(err error) reason {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.unpark()
	_, broken := errors.AsType[unreadable](err)
	switch {
	case v.why != "":
		return v.why
	case v.expired(time.Now()):
		return tokenExpired
	case broken:
		v.hub.log.Error("a viewer cannot read the log", zap.String("request_id", v.request.ID), zap.Error(err))
		return logUnreadable
	}
	return endOf(err)
}

// endOf returns why a stream ended whose connection did so with err.
func endOf(err error) reason {
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, syscall.ETIMEDOUT) || errors.Is(err, errSlow) {
		return tooSlow
	}
	return clientGone
}

// farewellTimeout is how long a client may take to accept the last words.
const farewellTimeout = time.Second

// sayFarewell writes the last words, behind the rest of the event under way.
func (v *viewer) sayFarewell(why reason) {
	words := farewell(why, v.hub.viewers())
	if words == "" || v.socket.SetWriteDeadline(time.Now().Add(farewellTimeout)) != nil {
		return
	}
	n, _ := v.socket.Write(append(v.rest, words...)) // it is a courtesy: who does not get it comes back all the same
	v.bytes += int64(n)
	v.hub.metrics.bytes.Add(float64(n))
}

// skip goes on behind a part of the log that is gone, with an event that says so. Nothing is said of batches without
// readings.
func (v *viewer) skip(m readings.Missing) (err error) {
	v.pos = Position{Seq: m.LastSeq}
	if m.MinTS == 0 && m.MaxTS == 0 {
		return nil
	}
	v.hub.metrics.gaps.Inc()
	v.told = v.pos
	v.rest, err = appendGap(v.rest, "retention", v.request.veil(m), v.request.Selection)
	return err
}
