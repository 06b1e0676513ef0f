package streaming

import (
	"context"
	"math"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"telltale/modules/readings/batchlog"
	"telltale/modules/streaming/event"
)

// clockMargin is how far the clock of a server that takes a database over may be behind. What was committed that long before a
// position of another log counts among what its viewer may have missed.
const clockMargin = 10 * time.Minute

// locateTimeout bounds the search for a position in the log table.
const locateTimeout = 30 * time.Second

// settle makes sure that the position at which the viewer goes on is one of this log. If it is not, because the database was
// restored or has lost its newest batches, the viewer is told so, and goes on with everything newer than its position.
func (v *viewer) settle(claimed event.Position, level zapcore.Level) error {
	at := claimed.Reached()
	if named, sure := v.hub.window.Names(at); sure && named {
		return nil
	}
	if at < v.hub.leastStamp {
		v.logForeign(claimed, level)
		return v.restart(claimed)
	}
	ctx, cancel := context.WithTimeout(v.hub.work, locateTimeout)
	defer cancel()
	found, err := v.hub.table.Locate(ctx, at)
	if err != nil {
		return unreadable{err}
	}
	if found.Known {
		return nil
	}
	v.logForeign(claimed, level)
	missed, err := v.hub.table.Extent(ctx, max(0, min(found.Before, at-clockMargin.Microseconds())), math.MaxInt64)
	if err != nil {
		return unreadable{err}
	}
	return v.goOn(claimed, found.Before, missed)
}

func (v *viewer) logForeign(claimed event.Position, level zapcore.Level) {
	v.hub.log.Log(level, "a viewer resumes at a position that is none of this log; it is told of a gap", zap.String("position", claimed.String()),
		zap.String("request_id", v.request.ID), zap.String("subject", v.request.Principal.Subject))
}

// restart goes on at the log's head, for a viewer of whose position nothing can be said.
func (v *viewer) restart(claimed event.Position) error {
	return v.goOn(claimed, v.hub.window.Head(), batchlog.Missing{})
}

// goOn goes on at a position, with an event that says why, and what the viewer may have missed: zeros for what is unknown.
func (v *viewer) goOn(claimed event.Position, stamp int64, missed batchlog.Missing) (err error) {
	v.hub.metrics.Gaps.Inc()
	at := event.Position{Stamp: stamp, Until: v.pos.Until}
	data := v.request.UnknownGap(claimed.Reached(), at.Stamp)
	if missed.MinTS != 0 || missed.MaxTS != 0 {
		missed = v.request.Veil(missed)
		data = v.request.GapBetween("unknown", missed.MinTS, missed.MaxTS+1, claimed.Reached(), at.Stamp)
	}
	v.unsent, err = event.AppendGap(v.unsent, at, data)
	v.pos, v.told = at, at
	if v.buckets != nil {
		v.buckets.late = true
		v.setDue()
	}
	return err
}

// tellGap has the client told of a part of the log that the viewer does not get.
func (v *viewer) tellGap(reason string, m batchlog.Missing) (err error) {
	v.unsent, err = event.AppendGap(v.unsent, event.Position{Stamp: m.LastStamp}, v.request.Gap(reason, v.request.Veil(m)))
	return err
}
