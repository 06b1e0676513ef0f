package streaming

import (
	"go.uber.org/zap"

	"telltale/modules/readings/batchlog"
	"telltale/modules/streaming/backlog"
	"telltale/modules/streaming/event"
)

// catchUp reads on until everything has been written, and parks.
func (v *viewer) catchUp() error {
	for {
		outcome, err := v.write()
		if err != nil {
			return err
		}
		switch outcome {
		case caughtUp:
			if v.park() {
				return nil
			}
		case turnOver:
		case notInMemory:
			if err := v.load(); err != nil {
				return err
			}
		case lagging:
			if err := v.hurry(); err != nil {
				return err
			}
		case otherLog:
			v.replaced, _ = v.hub.window.Replaced()
			v.hub.encoded.Forget() // an id may stand for another series now
			v.pastHead = pastHead{stamp: v.hub.window.Head()}
			if err := v.settle(v.pos, zap.DebugLevel); err != nil { // that the log is another one has been logged
				return err
			}
		}
	}
}

// load reads on from the log table what the window no longer holds, and writes as much as the socket takes. What it does
// not take is given up and found again. Few do so at once: each has a piece of the log in memory.
func (v *viewer) load() error {
	if err := v.awaitTurn(v.hub.loads, false); err != nil {
		return err
	}
	defer v.hub.loads.Give()
	batches, missing, err := v.hub.backlog.After(v.hub.work, backlog.Point{Replaced: v.replaced, Stamp: v.pos.Stamp}, v.hub.window.Head())
	switch {
	case err != nil:
		return unreadable{err}
	case missing != nil:
		return v.skip(*missing)
	}
	if outcome, err := v.writeBatches(batches); err != nil || outcome != lagging {
		return err
	}
	return v.hurry()
}

// skip goes on behind a part of the log that is gone, with an event that says so. Nothing is said of batches without
// readings.
func (v *viewer) skip(m batchlog.Missing) (err error) {
	v.pos = event.Position{Stamp: m.LastStamp}
	if m.MinTS == 0 && m.MaxTS == 0 {
		return nil
	}
	v.hub.metrics.Gaps.Inc()
	v.told = v.pos
	return v.tellGap("retention", m)
}

// inOtherLog reports whether the log has been replaced since the viewer last looked.
func (v *viewer) inOtherLog() bool {
	times, _ := v.hub.window.Replaced()
	return times != v.replaced
}
