package streaming

import (
	"time"
)

// paced reports whether the viewer gets newest readings, or buckets, at times of its own rather than every event.
func (v *viewer) paced() bool { return v.request.Every > 0 || v.buckets != nil }

// idle reports whether the viewer is parked until its next newest readings are due, and is owed nothing before. The caller holds
// mu.
func (v *viewer) idle() bool { return v.state == parked && v.request.Every > 0 }

// tick prepares the newest readings for a paced viewer when it is time for them.
func (v *viewer) tick(now time.Time) error {
	if v.buckets != nil {
		return v.tickBuckets(now)
	}
	if !v.paced() || now.Before(v.due) || v.digest != nil {
		return nil
	}
	// Updates that a slow connection has missed are not made up for.
	if v.due = v.due.Add(v.request.Every); !v.due.After(now) {
		v.due = now.Add(v.request.Every)
	}
	update, err := v.hub.newest.Update(v.hub.work, &v.filter, v.pos, v.fromSettled)
	switch {
	case err != nil:
		return unreadable{err}
	case update == nil:
		return nil
	}
	v.pos, v.fromSettled = update.At(), update.FromSettled()
	if update.Done() { // nothing of it is for this viewer
		update.Free()
		return nil
	}
	v.digest = v.hub.newDigest(update)
	return nil
}
