package series

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// lockStep is about how many series are dealt with before the registry's lock is given back: a millisecond's work.
const lockStep = 4096

// Add makes series known, or corrects the unit and retention of known ones; what the log has told about the newest reading
// is kept. It takes time in proportion to the series given, and to the blocks of the lists that they come into.
func (r *Registry) Add(states []State) {
	r.learning.Lock()
	defer r.learning.Unlock()
	var fresh []*State
	for step := range slices.Chunk(states, lockStep) {
		fresh = r.meet(fresh, step)
	}
	if len(fresh) > 0 {
		r.list(fresh)
	}
}

// meet appends those that are new, which have their entry by id from now on. The caller holds learning.
func (r *Registry) meet(fresh []*State, states []State) []*State {
	r.mu.Lock()
	defer r.mu.Unlock()
	horizon := r.Horizon()
	for _, state := range states {
		r.grow(state.ID)
		if known := r.byID[state.ID]; known == dropped {
			continue
		} else if known != nil {
			r.noteRetention(state.RetentionDays)
			if known.RetentionDays != state.RetentionDays {
				r.changes++
			}
			known.Unit, known.RetentionDays = state.Unit, state.RetentionDays
			continue
		}
		r.count++
		r.noteRetention(state.RetentionDays)
		r.admit(&state, horizon)
		r.byID[state.ID] = &state
		fresh = append(fresh, &state)
	}
	return fresh
}

// list gives new series their entries by name. The caller holds learning.
func (r *Registry) list(fresh []*State) {
	slices.SortFunc(fresh, func(a, b *State) int {
		return cmp.Or(strings.Compare(a.Device, b.Device), strings.Compare(a.Metric, b.Metric), cmp.Compare(a.ID, b.ID))
	})
	changed := map[string]ordered[*State]{}
	var strangers []deviceID
	for len(fresh) > 0 {
		device, n := fresh[0].Device, 1
		for n < len(fresh) && fresh[n].Device == device {
			n++
		}
		series := r.devices[device]
		if len(series) == 0 {
			strangers = append(strangers, deviceID(device))
		}
		changed[device], fresh = series.with(fresh[:n], newerSeries), fresh[n:]
	}
	known := r.known
	if len(strangers) > 0 {
		known = known.with(strangers, func(present, _ deviceID) deviceID { return present })
	}
	r.publish(changed, known)
}

// newerSeries returns which of two series of the same metric exists: the other one has been dropped with an older device of
// the same name.
func newerSeries(present, added *State) *State {
	if added.ID > present.ID {
		return added
	}
	return present
}

// publish puts the lists of devices in the place of those that were; devices with an empty one are forgotten. The caller
// holds learning.
func (r *Registry) publish(changed map[string]ordered[*State], known ordered[deviceID]) {
	for step := range slices.Chunk(slices.Collect(maps.Keys(changed)), lockStep) {
		r.mu.Lock()
		for _, device := range step {
			if r.devices[device] = changed[device]; len(changed[device]) == 0 {
				delete(r.devices, device)
			}
		}
		r.mu.Unlock()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.known = known
	r.version++
}

// Drop forgets series for good, and the devices that have none left.
func (r *Registry) Drop(ids []int32) {
	r.learning.Lock()
	defer r.learning.Unlock()
	gone := map[string]map[*State]bool{} // by device
	for _, id := range ids {
		if s := r.at(id); s != nil {
			if gone[s.Device] == nil {
				gone[s.Device] = map[*State]bool{}
			}
			gone[s.Device][s] = true
		}
	}
	if len(gone) > 0 {
		r.unlist(gone)
	}
	for step := range slices.Chunk(ids, lockStep) {
		r.forget(step)
	}
}

// unlist takes series from their entries by name. The caller holds learning.
func (r *Registry) unlist(gone map[string]map[*State]bool) {
	changed := make(map[string]ordered[*State], len(gone))
	var empty []string
	for device, series := range gone {
		metrics := make([]string, 0, len(series))
		for s := range series {
			metrics = append(metrics, s.Metric)
		}
		slices.Sort(metrics)
		// A device of the same name that has been made since stays.
		left := r.devices[device].without(metrics, func(s *State) bool { return series[s] })
		if changed[device] = left; len(left) == 0 {
			empty = append(empty, device)
		}
	}
	slices.Sort(empty)
	r.publish(changed, r.known.without(empty, func(id deviceID) bool {
		_, found := slices.BinarySearch(empty, string(id))
		return found
	}))
}

// forget marks ids as dropped. The caller holds learning.
func (r *Registry) forget(ids []int32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range ids {
		if r.at(id) != nil {
			r.count--
		}
		r.grow(id)
		r.byID[id] = dropped
		delete(r.forecasts, id)
	}
}

// replace forgets everything, as a new registry, and makes the series given known.
func (r *Registry) replace(states []State) {
	fresh := NewRegistry(nil)
	fresh.now = r.now
	fresh.Add(states)
	r.learning.Lock()
	defer r.learning.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.devices, r.known, r.byID, r.count = fresh.devices, fresh.known, fresh.byID, fresh.count
	r.forecasts, r.agenda = fresh.forecasts, fresh.agenda
	r.version++
}

// grow makes room in byID for an id. The caller holds learning and mu.
func (r *Registry) grow(id int32) {
	if n := int(id) + 1 - len(r.byID); n > 0 {
		r.byID = append(r.byID, make([]*State, n)...)
	}
}

// ids returns every id known.
func (r *Registry) ids() []int32 {
	ids := make([]int32, 0, r.Size())
	r.EachRetention(func(id int32, _ int) { ids = append(ids, id) })
	return ids
}
