package streaming

import (
	"errors"
	"time"
)

// slowness is what is done about a viewer that stays behind.
type slowness string

// What there is to choose from. Without a choice, replay it is.
const (
	replay     slowness = "replay"     // it gets everything, from the log, as long as it takes something
	coalesce   slowness = "coalesce"   // it gets the newest reading of each series, and then goes on live
	skipAhead  slowness = "gap"        // it gets a gap event, and then goes on live
	disconnect slowness = "disconnect" // its stream ends; it may resume
)

// slowAfter is how long a viewer may take to get to where the log was before it counts as slow. It is no setting: whether
// anything comes of it is each viewer's choice, and longer pauses than this are seen on any screen.
const slowAfter = 5 * time.Second

// errSlow ends the stream of a viewer that wants that when it is slow.
var errSlow = errors.New("the viewer is slow")

// mark is where the log's head was at some time. A viewer that has got there gets a new one; until it has got to the
// first, which has no time, it is resuming rather than slow.
type mark struct {
	seq int64
	at  time.Time
}

// choosy reports whether the viewer asked for something to be done when it stays behind.
func (v *viewer) choosy() bool { return v.request.Slow != "" && v.request.Slow != replay }

// lags reports whether the viewer has not got to where the log was slowAfter ago, and asked for something to be done.
func (v *viewer) lags() bool {
	if !v.choosy() {
		return false
	}
	now := time.Now()
	v.note(now)
	return !v.mark.at.IsZero() && now.Sub(v.mark.at) > v.hub.slowAfter
}

// note moves the mark on once the viewer has got there. What a page takes does not count.
func (v *viewer) note(now time.Time) {
	if v.page != nil || v.pos.Seq >= v.mark.seq {
		v.mark = mark{v.hub.window.Head(), now}
	}
}

// orOverdue returns the deadline, or when the viewer would have to be disconnected if that is before. It is called before each
// wait for the socket, which may be the one that makes the viewer slow.
func (v *viewer) orOverdue(now, deadline time.Time) time.Time {
	if !v.choosy() {
		return deadline
	}
	v.note(now)
	if v.request.Slow != disconnect {
		return deadline
	}
	if due := v.mark.at.Add(v.hub.slowAfter); !v.mark.at.IsZero() && due.Before(deadline) {
		return due
	}
	return deadline
}

// hurry brings a viewer that lags to the log's head, in the way that it asked for.
func (v *viewer) hurry() (err error) {
	head := v.hub.window.Head()
	switch v.request.Slow {
	case coalesce:
		if v.page, err = v.hub.skipped(v.hub.work, &v.filter, v.pos); err != nil {
			return unreadable{err}
		}
		if v.page == nil { // no room: the log goes on meanwhile
			v.mark.at = time.Now()
			return nil
		}
		v.pos = v.page.at
		v.hub.metrics.coalesced.Inc()
	case skipAhead:
		extent, err := v.hub.table.Extent(v.hub.work, v.pos.Seq, head)
		if err != nil {
			return unreadable{err}
		}
		v.hub.metrics.gaps.Inc()
		if v.rest, err = appendGap(v.rest, "slow", v.request.veil(extent), v.request.Selection); err != nil {
			return err
		}
		v.pos = Position{Seq: head}
		v.told = v.pos
	default:
		return errSlow
	}
	v.mark = mark{v.pos.Seq, time.Now()}
	return nil
}
