package devices

import "slices"

// Wanted says which series a capture is of.
type Wanted struct {
	// Devices are the only ones; nil means all that Keep lets through.
	Devices []string
	// Keep, if it is set, decides about each device. It is called with the registry locked.
	Keep func(device string) bool
	// Metrics are the only ones; none means all.
	Metrics []string
	// After leaves out series whose newest reading has not changed since the batch with this seq. Negative means never.
	After int64
	// IDs, if it is set, are the only series that are looked at; they ascend.
	IDs []int32
}

// Capture returns the newest readings of the series wanted, series without any left out, device by device, as they are
// exactly as of the batch seq. ok is false when there are more than most.
func (r *Registry) Capture(w Wanted, most int) (states []SeriesState, seq int64, ok bool) {
	metrics := NewNames(w.Metrics)
	r.mu.RLock()
	defer r.mu.RUnlock()
	add := func(s *SeriesState) {
		if s.LastTS != NoReading && r.changed(s, w.After) && (len(metrics) == 0 || metrics.Has(s.Metric)) {
			states = append(states, *s)
		}
	}
	keeps := func(device string) bool { return w.Keep == nil || w.Keep(device) }
	switch {
	case w.IDs != nil:
		for _, id := range w.IDs {
			if s := r.at(id); s != nil && (w.Devices == nil || slices.Contains(w.Devices, s.Device)) && keeps(s.Device) {
				add(s)
			}
		}
	case w.Devices != nil:
		for _, device := range w.Devices {
			if series := r.devices[device]; len(series) > 0 && keeps(device) {
				for _, s := range series {
					add(s)
				}
			}
		}
	default:
		for device, series := range r.devices {
			if !keeps(device) {
				continue
			}
			for _, s := range series {
				add(s)
			}
			if len(states) > most {
				break
			}
		}
	}
	return states, r.seq, len(states) <= most
}

// Rebase tells the registry that what it has read from the database is as of the batch seq; what it observes next comes
// after that.
func (r *Registry) Rebase(seq int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seq, r.base = seq, seq
	for _, s := range r.byID {
		if s != nil && s != dropped {
			s.LastSeq = 0
		}
	}
}

// changed reports whether the series' newest reading may have changed after the batch with the seq. Of what was read from
// the database it is only known that it was there at base. The caller holds mu.
func (r *Registry) changed(s *SeriesState, after int64) bool {
	return s.LastSeq > after || s.LastSeq == 0 && after < r.base
}
