package series

import "slices"

// Wanted says which series a capture is of.
type Wanted struct {
	// Devices are the only ones; nil means all that Keep lets through.
	Devices []string
	// Keep, if it is set, decides about each device. It is called without any lock.
	Keep func(device string) bool
	// Metrics are the only ones; none means all.
	Metrics []string
	// After leaves out series whose newest reading has not changed since the batch with this stamp. Negative means never.
	After int64
	// FromSettled has those left in, all the same, of which the settlement with this number, or a later one, has changed the newest
	// reading. 0 means none.
	FromSettled int64
	// IDs, if it is set, are the only series that are looked at; they ascend.
	IDs []int32
}

// Capture returns the newest readings of the series wanted, series without any left out, device by device, as they are
// exactly as of the batch with the stamp. ok is false when there are more than most.
func (r *Registry) Capture(w Wanted, most int) (states []State, stamp int64, ok bool) {
	c := capture{registry: r, Wanted: w, metrics: NewNames(w.Metrics), most: most}
	switch {
	case w.IDs != nil:
		c.byID()
	case w.Devices != nil:
		c.byDevice(c.kept(w.Devices))
	default:
		c.all()
	}
	return c.states, c.stamp, len(c.states) <= most
}

// capture is one under way.
type capture struct {
	Wanted
	registry *Registry
	metrics  Names
	most     int
	states   []State
	stamp    int64
}

// add takes a series' newest reading if it is wanted. The caller holds mu.
func (c *capture) add(s *State) {
	if s.LastTS != NoReading && (c.registry.changed(s, c.After) || c.settled(s)) && (len(c.metrics) == 0 || c.metrics.Has(s.Metric)) {
		c.states = append(c.states, *s)
	}
}

// byID captures of the series with IDs.
func (c *capture) byID() {
	r := c.registry
	wanted := NewNames(c.Devices)
	judged := map[string]bool{}
	series := r.series(c.IDs)
	for _, s := range series {
		if _, known := judged[s.Device]; !known {
			judged[s.Device] = (c.Devices == nil || wanted.Has(s.Device)) && (c.Keep == nil || c.Keep(s.Device))
		}
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, s := range series {
		if judged[s.Device] && r.at(s.ID) == s {
			c.add(s)
		}
	}
	c.stamp = r.stamp
}

// series returns the series with those ids that there are.
func (r *Registry) series(ids []int32) []*State {
	found := make([]*State, 0, len(ids))
	for step := range slices.Chunk(ids, lockStep) {
		r.mu.RLock()
		for _, id := range step {
			if s := r.at(id); s != nil {
				found = append(found, s)
			}
		}
		r.mu.RUnlock()
	}
	return found
}

// byDevice captures of the devices given.
func (c *capture) byDevice(devices []string) {
	r := c.registry
	r.mu.RLock()
	defer r.mu.RUnlock()
	c.lists(devices)
	c.stamp = r.stamp
}

// lists takes the series of devices. The caller holds mu.
func (c *capture) lists(devices []string) {
	for _, device := range devices {
		for _, block := range c.registry.devices[device] {
			for _, s := range block {
				c.add(s)
			}
			if len(c.states) > c.most {
				return
			}
		}
	}
}

// kept returns those devices that Keep lets through.
func (c *capture) kept(devices []string) []string {
	if c.Keep == nil {
		return devices
	}
	kept := make([]string, 0, len(devices))
	for _, device := range devices {
		if c.Keep(device) {
			kept = append(kept, device)
		}
	}
	return kept
}

// judgings is how often a capture of all devices judges without the lock those that have come meanwhile.
const judgings = 3

// all captures of all devices. They are judged before the lock is taken. Of those that come meanwhile, only the blocks are
// judged again that have changed: at last, if they keep coming, with the lock.
func (c *capture) all() {
	r := c.registry
	judged := map[*deviceID][]string{} // what is kept of a block, by its first element
	for range judgings {
		known, version := r.knownDevices()
		c.judge(known, judged)
		if _, now := r.knownDevices(); now == version {
			break
		}
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	c.judge(r.known, judged)
	for _, block := range r.known {
		c.lists(judged[&block[0]])
		if len(c.states) > c.most {
			break
		}
	}
	c.stamp = r.stamp
}

// judge finds out what Keep lets through of those blocks that were not judged yet.
func (c *capture) judge(known ordered[deviceID], judged map[*deviceID][]string) {
	for _, block := range known {
		if _, done := judged[&block[0]]; done {
			continue
		}
		kept := make([]string, 0, len(block))
		for _, id := range block {
			if c.Keep == nil || c.Keep(string(id)) {
				kept = append(kept, string(id))
			}
		}
		judged[&block[0]] = kept
	}
}

// Rebase tells the registry that what it has read from the database is as of the batch with the stamp; what it observes next comes
// after that.
func (r *Registry) Rebase(stamp int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stamp, r.base, r.deleted = stamp, stamp, 0
	for _, s := range r.byID {
		if s != nil && s != dropped {
			s.LastStamp = 0
		}
	}
}

// changed reports whether the series' newest reading may have changed after the batch with the stamp. Of what was read from
// the database it is only known that it was there at base. The caller holds mu.
func (r *Registry) changed(s *State, after int64) bool {
	return s.LastStamp > after || s.LastStamp == 0 && after < r.base
}

// settled reports whether a settlement has changed the series' newest reading since FromSettled.
func (w Wanted) settled(s *State) bool { return w.FromSettled > 0 && s.settled >= w.FromSettled }
