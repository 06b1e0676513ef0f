package streaming

import "time"

// paced reports whether the viewer gets newest readings, or buckets, at times of its own rather than every event.
func (v *viewer) paced() bool { return v.request.Every > 0 || v.buckets != nil }

// rests reports whether the viewer is parked until its next newest readings are due, and nothing is owed to it before. The
// caller holds mu.
func (v *viewer) rests() bool { return v.parked && v.request.Every > 0 }

// tick prepares the newest readings for a paced viewer when it is time for them.
func (v *viewer) tick(now time.Time) (err error) {
	if v.buckets != nil {
		return v.tickBuckets(now)
	}
	if !v.paced() || now.Before(v.due) || v.page != nil {
		return nil
	}
	// Nobody is owed what a slow connection has missed.
	if v.due = v.due.Add(v.request.Every); !v.due.After(now) {
		v.due = now.Add(v.request.Every)
	}
	if v.page, err = v.hub.pace(v.hub.work, &v.filter, v.pos); err != nil {
		return unreadable{err}
	}
	if v.page != nil {
		v.pos = v.page.at
		if v.page.done() { // nothing of it is for this viewer
			v.dropPage()
		}
	}
	return nil
}
