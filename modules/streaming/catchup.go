package streaming

import "telltale/modules/readings"

// catchUp reads on until everything has been written, and parks.
func (v *viewer) catchUp() error {
	for {
		state, err := v.write(nil)
		if err != nil {
			return err
		}
		switch state {
		case current:
			if v.park() {
				return nil
			}
		case absent:
			if err := v.load(); err != nil {
				return err
			}
		case late:
			if err := v.hurry(); err != nil {
				return err
			}
		case torn:
			times, head := v.hub.window.Replaced()
			v.replaced = times
			if err := v.restart(head); err != nil {
				return err
			}
		}
	}
}

// load reads on from the log table what the window no longer holds, and writes as much as the socket takes. What it does
// not take is dropped and found again.
func (v *viewer) load() error {
	batches, missing, err := v.hub.backlog.after(v.hub.work, logPlace{v.replaced, v.pos.Seq}, v.hub.window.Head())
	switch {
	case err != nil:
		return unreadable{err}
	case missing != nil:
		return v.skip(*missing)
	}
	if state, err := v.write(batches); err != nil || state != late {
		return err
	}
	return v.hurry()
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

// torn reports whether the log has been replaced since the viewer last looked.
func (v *viewer) torn() bool {
	times, _ := v.hub.window.Replaced()
	return times != v.replaced
}

// restart goes on at the head of a log that is not the one in which the viewer had its place, with an event that says so.
func (v *viewer) restart(head int64) (err error) {
	v.hub.metrics.gaps.Inc()
	at := Position{Seq: head, Until: v.pos.Until}
	v.rest, err = appendReset(v.rest, v.pos, at, v.request.historyURL("", ""))
	v.pos, v.told = at, at
	v.mark = mark{seq: head}
	return err
}
