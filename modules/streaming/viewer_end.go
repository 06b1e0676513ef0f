package streaming

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"syscall"
	"time"

	"go.uber.org/zap"
)

// end makes the viewer end its stream for the reason given; the first one counts.
func (v *viewer) end(why reason) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.state == ending {
		return
	}
	v.wake()
	v.state, v.why = ending, why
	_ = v.conn.SetWriteDeadline(past) // an error means that the connection is closed
	if v.interrupt != nil {
		v.interrupt()
	}
}

// hungUp ends the stream of a viewer whose connection has ended with err.
func (v *viewer) hungUp(err error) { v.end(endOf(err)) }

// past is a deadline that ends whatever waits.
var past = time.Unix(1, 0)

// expired reports whether the credentials have ended.
func (v *viewer) expired(now time.Time) bool {
	expires := v.request.Principal.Expires
	return !expires.IsZero() && !now.Before(expires)
}

// orExpiry returns the deadline, or when the credentials end if that is before: by the deadline's clock, which is monotonic,
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
	return v.state == ending || v.expired(time.Now())
}

// reasonOf returns why the stream ends with err.
func (v *viewer) reasonOf(err error) reason {
	v.mu.Lock()
	defer v.mu.Unlock()
	_, broken := errors.AsType[unreadable](err)
	switch {
	case v.state == ending:
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

// leastRetry and spreadPerViewer spread the return of the viewers of a server that stops: about a thousand a second.
const (
	leastRetry      = time.Second
	leastSpread     = 4 * time.Second
	spreadPerViewer = time.Millisecond
)

// farewell returns the last words of a stream, "" when its client no longer listens.
func farewell(why reason, viewers int) string {
	switch why {
	case stopping:
		spread := max(leastSpread, time.Duration(viewers)*spreadPerViewer)
		return fmt.Sprintf(": %s\nretry: %d\n\n", why, (leastRetry + rand.N(spread)).Milliseconds()) //nolint:gosec // no secret
	case tokenExpired, tokenRefused, logUnreadable:
		return fmt.Sprintf(": %s\n\n", why)
	}
	return ""
}

// sayFarewell writes the last words, behind the rest of the event under way.
func (v *viewer) sayFarewell(why reason) {
	words := farewell(why, v.hub.viewers())
	if words == "" || v.conn.SetWriteDeadline(time.Now().Add(farewellTimeout)) != nil {
		return
	}
	v.unsent = append(v.unsent, words...)
	// The words are a courtesy: a client that does not get them comes back all the same.
	_ = v.conn.WhenWritable(func(fd uintptr) (done bool, err error) {
		err = v.writeUnsent(fd)
		return len(v.unsent) == 0, err
	})
}

// finish gives back all that the viewer holds, logs the end, and closes the connection. Nothing writes to the viewer any more.
func (v *viewer) finish(why reason) {
	v.conn.Unwatch()
	v.hub.alarms.Remove(v)
	v.freeDigest()
	v.ticket.Release()
	v.hub.leave(v, why)
	_ = v.conn.Close() // an error means that the client was quicker
}

// freeDigest gives back the bytes that the digest takes, if there is one.
func (v *viewer) freeDigest() {
	if v.digest != nil {
		v.digest.Free()
		v.digest = nil
	}
}
