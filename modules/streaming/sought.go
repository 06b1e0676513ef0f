package streaming

import (
	"slices"

	"telltale/modules/readings"
)

// soughtDevices is the most devices that a viewer may ask for and have batches passed over for it.
const soughtDevices = 16

// sought are the only series that a viewer of few devices can get anything of. One that resumes far back passes over most
// batches by them, which would otherwise have to be encoded for it: thousands of such viewers, each at another place in
// the log, would have the same sheets made again and again.
type sought struct {
	series []int32
	head   int64 // what comes later may have series that were not known yet
}

// sought returns what the filter seeks, nil when it has to look into every batch.
func (h *Hub) sought(f *filter) *sought {
	if f.devices == nil || len(f.devices) > soughtDevices {
		return nil
	}
	s := &sought{head: h.window.Head()} // before the registry is asked: it knows every series of what the window has
	for _, state := range h.registry.Select(f.devices, f.metrics) {
		s.series = append(s.series, state.ID)
	}
	return s
}

// mayBeIn reports whether the batch may have readings that are sought.
func (s *sought) mayBeIn(b *readings.Batch) bool {
	if s == nil || b.Seq > s.head {
		return true
	}
	return slices.ContainsFunc(b.Series, func(id int32) bool { return slices.Contains(s.series, id) })
}
