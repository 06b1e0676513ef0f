package streaming

import (
	"errors"
	"os"
	"syscall"
	"time"

	"go.uber.org/zap"

	"telltale/modules/readings"
)

// sleep returns when a parked viewer has to do something itself: read on, say that it is still there, or end. The read of
// the connection is its bed: it ends at once when the client closes the connection, at a deadline, which serves as the
// viewer's clock, and when somebody sets that deadline to wake the viewer.
func (v *viewer) sleep() error {
	for {
		if awake, err := v.setClock(); awake || err != nil {
			return err
		}
		if _, err := v.conn.Read(v.discard[:]); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
		if v.rouse(time.Now()) {
			return nil
		}
	}
}

// setClock sets the deadline to when the viewer next has to do something, unless it is awake.
func (v *viewer) setClock() (awake bool, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.parked || v.why != "" {
		v.unpark()
		return true, nil
	}
	return false, v.conn.SetReadDeadline(v.alarm())
}

// gone reports whether the client has closed the connection, without waiting. What the client sends is dropped, as in sleep.
func (v *viewer) gone() (gone bool) {
	err := v.raw.Control(func(fd uintptr) {
		n, err := syscall.Read(int(fd), v.discard[:])
		gone = n == 0 && err == nil || err != nil && !errors.Is(err, syscall.EAGAIN) && !errors.Is(err, syscall.EINTR)
	})
	return gone || err != nil
}

// alarm returns when the viewer next has to do something.
func (v *viewer) alarm() time.Time {
	beat := v.wrote.Add(v.hub.cfg.Heartbeat)
	if v.paced() && v.due.Before(beat) {
		beat = v.due
	}
	return v.orExpiry(beat)
}

// rouse wakes the viewer when a heartbeat is due, with the heartbeat as what has to be written first, or when it has to
// end. It reports whether the viewer is awake.
func (v *viewer) rouse(now time.Time) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	due := !now.Before(v.wrote.Add(v.hub.cfg.Heartbeat))
	if v.parked && !due && !v.expired(now) && !(v.paced() && !now.Before(v.due)) {
		return false
	}
	wasParked := v.parked
	v.unpark()
	if wasParked && due {
		v.rest = append(v.rest, beat...)
		if v.told.before(v.pos) {
			v.rest = appendPosition(v.rest[:len(v.rest)-1], v.pos)
			v.told = v.pos
		}
	}
	return true
}

// expired reports whether the credentials have ended.
func (v *viewer) expired(now time.Time) bool {
	expires := v.request.Principal.Expires
	return !expires.IsZero() && !now.Before(expires)
}

// orExpiry returns the deadline, or when the credentials end if that is before.
func (v *viewer) orExpiry(deadline time.Time) time.Time {
	if expires := v.request.Principal.Expires; !expires.IsZero() && expires.Before(deadline) {
		return expires
	}
	return deadline
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
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, syscall.ETIMEDOUT), errors.Is(err, errSlow):
		return tooSlow
	}
	return clientGone
}

// farewellTimeout is how long a client may take to accept the last words.
const farewellTimeout = time.Second

// sayFarewell writes the last words, behind the rest of the event under way.
func (v *viewer) sayFarewell(why reason) {
	words := farewell(why, v.hub.viewers())
	if words == "" || v.conn.SetWriteDeadline(time.Now().Add(farewellTimeout)) != nil {
		return
	}
	n, _ := v.conn.Write(append(v.rest, words...)) // it is a courtesy: who does not get it comes back all the same
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
