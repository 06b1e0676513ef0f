package streaming

import (
	"errors"
	"os"
	"syscall"
	"time"

	"go.uber.org/zap"
)

// end makes the viewer end its stream for the reason given; the first one counts.
func (v *viewer) end(why reason) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.why != "" {
		return
	}
	v.why = why
	v.wake()
	_ = v.socket.SetWriteDeadline(past) // an error means that the connection is closed
	if v.interrupt != nil {
		v.interrupt()
	}
}

// past is a deadline that ends whatever waits.
var past = time.Unix(1, 0)

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

// ending returns why the stream ended with err. Nobody else writes any more.
func (v *viewer) ending(err error) reason {
	v.mu.Lock()
	defer v.mu.Unlock()
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

// finish gives back all that the viewer holds, says so, and closes the connection. Nobody else writes to it any more.
func (v *viewer) finish(why reason) {
	if v.unwatch != nil {
		v.unwatch()
	}
	v.hub.alarms.remove(v)
	v.dropPage()
	v.ticket.release()
	v.hub.leave(v, why)
	_ = v.socket.Close() // an error means that the client was quicker
}

// dropPage gives back the room that the page takes, if there is one.
func (v *viewer) dropPage() {
	if v.page != nil {
		v.page.free()
		v.page = nil
	}
}
