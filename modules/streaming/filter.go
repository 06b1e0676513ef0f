package streaming

import (
	"context"
	"slices"
	"sort"

	"telltale/modules/auth"
	"telltale/modules/devices"
)

// filter decides which events, and what of them, one viewer gets. It is used by one goroutine at a time.
type filter struct {
	// devices are the only ones to let through; nil means all that sees and tags let through, an empty list none.
	devices devices.Names
	// metrics are the only ones to let through; nil means all.
	metrics devices.Names
	// sees is set when devices alone cannot say what was asked for and may be seen.
	sees func(device string) bool
	// tags is set when only devices with certain tags are let through.
	tags *tagged

	remember bool            // that answers of sees are dear
	seen     map[string]bool // answers of sees
}

const (
	// maxSeen bounds the answers of sees that a viewer keeps.
	maxSeen = 1024
	// cheapPatterns is how many patterns are tried anew for each event rather than remembered.
	cheapPatterns = 8
)

// newFilter returns a filter of what was asked for within what the principal may see.
func newFilter(wanted Selection, tags *tagged, p auth.Principal) filter {
	f := filter{devices: wanted.Devices, metrics: wanted.Metrics, tags: tags}
	switch {
	case wanted.Metrics != nil && len(wanted.Metrics) == 0:
		f.devices = []string{} // who asks the registry about no metrics asks about all
	case slices.ContainsFunc(wanted.Devices, devices.IsPattern):
		f.devices, f.sees = nil, matching(wanted.Devices, p)
		f.remember = len(wanted.Devices)+len(p.Devices) > cheapPatterns
	case p.SeesAll():
	case wanted.Devices != nil:
		f.devices = make([]string, 0, len(wanted.Devices))
		for _, device := range wanted.Devices {
			if p.Sees(device) {
				f.devices = append(f.devices, device)
			}
		}
	case !slices.ContainsFunc(p.Devices, devices.IsPattern):
		f.devices = p.Devices
	default:
		f.sees, f.remember = p.Sees, len(p.Devices) > cheapPatterns
	}
	f.devices, f.metrics = devices.NewNames(f.devices), devices.NewNames(f.metrics)
	return f
}

// matching returns whether a device is among those wanted, ids and patterns, and the principal may see it. A device that
// is new matches like any other.
func matching(wanted []string, p auth.Principal) func(device string) bool {
	ids := map[string]bool{}
	var patterns []string
	for _, text := range wanted {
		if devices.IsPattern(text) {
			patterns = append(patterns, text)
		} else {
			ids[text] = true
		}
	}
	return func(device string) bool {
		return (ids[device] || slices.ContainsFunc(patterns, func(pattern string) bool { return devices.MatchPattern(pattern, device) })) &&
			p.Sees(device)
	}
}

// all reports whether the filter lets everything through.
func (f *filter) all() bool {
	return f.devices == nil && f.metrics == nil && f.sees == nil && f.tags == nil
}

// admits reports whether the device is let through, if it is among devices. Tags must have been asked about it before.
func (f *filter) admits(device string) bool {
	return f.permits(device) && (f.tags == nil || f.tags.has(device))
}

func (f *filter) permits(device string) bool {
	if f.sees == nil {
		return true
	}
	if !f.remember {
		return f.sees(device)
	}
	answer, ok := f.seen[device]
	if !ok {
		answer = f.sees(device)
		if f.seen == nil || len(f.seen) >= maxSeen {
			f.seen = map[string]bool{}
		}
		f.seen[device] = answer
	}
	return answer
}

// knows reports whether the filter can judge every device, without asking the database about its tags.
func (f *filter) knows(devices []string) bool { return f.tags == nil || f.tags.knows(devices) }

// learn makes the filter know the devices.
func (f *filter) learn(ctx context.Context, devices []string) error {
	if f.knows(devices) {
		return nil
	}
	return f.tags.learn(ctx, devices)
}

// take puts what the filter lets through of a sheet, from pos on, into the tray until the tray is full. It returns the place
// behind what it has dealt with.
func (f *filter) take(t *tray, s *sheet, pos Position) Position {
	if !pos.before(s.end) {
		return pos
	}
	from := int32(0)
	if pos.Seq == s.seq-1 {
		from = pos.Next
	}
	i := sort.Search(len(s.events), func(i int) bool { return s.events[i].n >= from })
	if i == len(s.events) {
		return s.end
	}
	if !f.choose(t, s) {
		return s.end
	}
	if f.devices != nil && len(f.devices) <= soughtDevices {
		return f.takeFew(t, s, int32(i))
	}
	for ; i < len(s.events); i++ {
		if t.full() {
			return Position{Seq: s.seq - 1, Next: s.events[i].n}
		}
		if t.devices == nil || t.devices[s.events[i].device] {
			t.add(s, i)
		}
	}
	return s.end
}

// takeFew is take for events of few devices, from the one with the index given on: it looks at no other event.
func (f *filter) takeFew(t *tray, s *sheet, from int32) Position {
	t.few = t.few[:0]
	for _, device := range f.devices {
		d, ok := s.index[device]
		if !ok || !t.devices[d] {
			continue
		}
		for i, more := s.firsts[d], true; more; i, more = s.events[i].later, s.events[i].later > 0 {
			if i >= from {
				t.few = append(t.few, i)
			}
		}
	}
	if len(f.devices) > 1 {
		slices.Sort(t.few)
		t.few = slices.Compact(t.few) // a device may be named twice
	}
	for _, i := range t.few {
		if t.full() {
			return Position{Seq: s.seq - 1, Next: s.events[i].n}
		}
		t.add(s, int(i))
	}
	return s.end
}

// choose marks in the tray which of the sheet's devices and metrics are let through (nil for all), and reports whether
// there are any.
func (f *filter) choose(t *tray, s *sheet) bool {
	t.devices, t.metrics = nil, nil
	some := true
	if f.devices != nil || f.sees != nil || f.tags != nil {
		t.devices, some = f.chooseDevices(t.deviceMarks(len(s.devices)), s)
	}
	if some && f.metrics != nil {
		some = false
		t.metrics = t.metricMarks(len(s.metrics))
		for i, metric := range s.metrics {
			t.metrics[i] = f.metrics.Has(metric)
			some = some || t.metrics[i]
		}
	}
	return some
}

func (f *filter) chooseDevices(marks []bool, s *sheet) (_ []bool, some bool) {
	if f.devices == nil || len(f.devices) > len(s.devices) {
		for i, device := range s.devices {
			marks[i] = (f.devices == nil || f.devices.Has(device)) && f.admits(device)
			some = some || marks[i]
		}
		return marks, some
	}
	for _, device := range f.devices {
		if i, ok := s.index[device]; ok && f.admits(device) {
			marks[i], some = true, true
		}
	}
	return marks, some
}

// concerns reports whether the filter may let through events of any of the devices.
func (f *filter) concerns(devices deviceSet) bool {
	if f.devices == nil {
		return true
	}
	if len(f.devices) > len(devices) {
		for device := range devices {
			if f.devices.Has(device) {
				return true
			}
		}
		return false
	}
	return slices.ContainsFunc(f.devices, func(device string) bool { _, ok := devices[device]; return ok })
}
