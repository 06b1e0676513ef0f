package streaming

import (
	"slices"
	"sort"
	"strings"

	"telltale/modules/auth"
)

// filter decides which events, and what of them, one viewer gets. It is used by one goroutine at a time.
type filter struct {
	// devices are the only ones to let through; nil means all that see lets through, an empty list none.
	devices []string
	// metrics are the only ones to let through; nil means all.
	metrics []string
	// sees is set when devices alone cannot say what the principal may see.
	sees func(device string) bool

	seen map[string]bool // answers of sees
}

// maxSeen bounds the answers of sees that a viewer keeps.
const maxSeen = 1024

// newFilter returns a filter of what was asked for within what the principal may see; nil asks for everything.
func newFilter(wanted, metrics []string, p auth.Principal) filter {
	f := filter{devices: wanted, metrics: metrics}
	switch {
	case p.SeesAll():
	case wanted != nil:
		f.devices = make([]string, 0, len(wanted))
		for _, device := range wanted {
			if p.Sees(device) {
				f.devices = append(f.devices, device)
			}
		}
	case !slices.ContainsFunc(p.Devices, isGlob):
		f.devices = p.Devices
	default:
		f.sees = p.Sees
	}
	return f
}

func isGlob(pattern string) bool { return strings.ContainsAny(pattern, `*?[\`) }

// all reports whether the filter lets everything through.
func (f *filter) all() bool { return f.devices == nil && f.metrics == nil && f.sees == nil }

// admits reports whether the device is let through.
func (f *filter) admits(device string) bool {
	if f.sees == nil {
		return true
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

// choose marks in the tray which of the sheet's devices and metrics are let through (nil for all), and reports whether
// there are any.
func (f *filter) choose(t *tray, s *sheet) bool {
	t.devices, t.metrics = nil, nil
	some := true
	if f.devices != nil || f.sees != nil {
		t.devices, some = f.chooseDevices(t.deviceMarks(len(s.devices)), s)
	}
	if some && f.metrics != nil {
		some = false
		t.metrics = t.metricMarks(len(s.metrics))
		for i, metric := range s.metrics {
			t.metrics[i] = slices.Contains(f.metrics, metric)
			some = some || t.metrics[i]
		}
	}
	return some
}

func (f *filter) chooseDevices(marks []bool, s *sheet) (_ []bool, some bool) {
	if f.devices == nil {
		for i, device := range s.devices {
			marks[i] = f.admits(device)
			some = some || marks[i]
		}
		return marks, some
	}
	for _, device := range f.devices {
		if i, ok := s.index[device]; ok {
			marks[i], some = true, true
		}
	}
	return marks, some
}

// concerns reports whether the filter may let through events of any of the devices.
func (f *filter) concerns(devices map[string]int32) bool {
	if f.devices == nil {
		return true
	}
	return slices.ContainsFunc(f.devices, func(device string) bool { _, ok := devices[device]; return ok })
}
