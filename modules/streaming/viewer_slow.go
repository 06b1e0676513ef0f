package streaming

import (
	"errors"
	"time"

	"telltale/modules/streaming/event"
	"telltale/modules/streaming/request"
)

// slowAfter is how long a viewer may take to get to where the log was before it counts as slow. It is no setting: whether
// anything comes of it is each viewer's choice, and longer pauses than this are seen on any screen.
const slowAfter = 5 * time.Second

// errSlow ends the stream of a viewer that wants that when it is slow.
var errSlow = errors.New("the viewer is slow")

// pastHead is where the log's head was at some time. A viewer that has got there gets a new one; until it has got to the
// first, which has no time, it is resuming rather than slow.
type pastHead struct {
	stamp int64
	at    time.Time
}

// choosy reports whether the viewer asked for something to be done when it stays behind.
func (v *viewer) choosy() bool { return v.request.Slow != "" && v.request.Slow != request.Replay }

// lags reports whether the viewer has not got to where the log was slowAfter ago, and asked for something to be done.
func (v *viewer) lags() bool {
	if !v.choosy() {
		return false
	}
	now := time.Now()
	v.note(now)
	return !v.pastHead.at.IsZero() && now.Sub(v.pastHead.at) > v.hub.slowAfter
}

// note moves pastHead on once the viewer has got there. What a digest takes does not count.
func (v *viewer) note(now time.Time) {
	if v.digest != nil || v.pos.Stamp >= v.pastHead.stamp {
		v.pastHead = pastHead{v.hub.window.Head(), now}
	}
}

// orOverdue returns the deadline, or when the viewer would have to be disconnected if that is before. It is called before each
// wait for the socket, which may be the one that makes the viewer slow.
func (v *viewer) orOverdue(now, deadline time.Time) time.Time {
	if !v.choosy() {
		return deadline
	}
	v.note(now)
	if v.request.Slow != request.Disconnect {
		return deadline
	}
	if due := v.pastHead.at.Add(v.hub.slowAfter); !v.pastHead.at.IsZero() && due.Before(deadline) {
		return due
	}
	return deadline
}

// hurry brings a viewer that lags to the log's head, in the way that it asked for.
func (v *viewer) hurry() (err error) {
	head := v.hub.window.Head()
	switch v.request.Slow {
	case request.Coalesce:
		skipped, err := v.hub.newest.Skipped(v.hub.work, &v.filter, v.pos)
		if err != nil {
			return unreadable{err}
		}
		if skipped == nil { // no budget: the log goes on meanwhile
			v.pastHead.at = time.Now()
			return nil
		}
		v.digest = v.hub.newDigest(skipped)
		v.pos = v.digest.At()
		v.hub.metrics.Coalesced.Inc()
	case request.SkipAhead:
		extent, err := v.hub.table.Extent(v.hub.work, v.pos.Stamp, head)
		if err != nil {
			return unreadable{err}
		}
		v.hub.metrics.Gaps.Inc()
		if err = v.tellGap("slow", extent); err != nil {
			return err
		}
		v.pos = event.Position{Stamp: head}
		v.told = v.pos
	default:
		return errSlow
	}
	v.pastHead = pastHead{v.pos.Stamp, time.Now()}
	return nil
}
