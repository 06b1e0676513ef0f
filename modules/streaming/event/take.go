package event

import (
	"slices"
	"sort"

	"telltale/modules/streaming/filter"
)

// Take takes the events of an encoded part that pass the filter, from pos on, until the buffer is full. It returns the position
// behind the last event that it has processed.
func (t *Buffer) Take(f *filter.Filter, e *Encoded, pos Position) Position {
	if !pos.Before(e.end) {
		return pos
	}
	from := int32(0)
	if pos.Stamp == e.stamp-1 {
		from = pos.Next
	}
	i := sort.Search(len(e.events), func(i int) bool { return e.events[i].n >= from })
	if i == len(e.events) {
		return e.end
	}
	if !t.choose(f, e) {
		return e.end
	}
	if f.Few() {
		return t.takeFew(f, e, int32(i))
	}
	for ; i < len(e.events); i++ {
		if t.Full() {
			return Position{Stamp: e.stamp - 1, Next: e.events[i].n}
		}
		if t.devices == nil || t.devices[e.events[i].device] {
			t.add(e, i)
		}
	}
	return e.end
}

// takeFew is Take for a filter of few devices, from the event with the index given on. It looks at no other device's events.
func (t *Buffer) takeFew(f *filter.Filter, e *Encoded, from int32) Position {
	t.few = t.few[:0]
	for _, device := range f.Devices() {
		d, ok := e.index[device]
		if !ok || !t.devices[d] {
			continue
		}
		for i, more := e.firsts[d], true; more; i, more = e.events[i].later, e.events[i].later > 0 {
			if i >= from {
				t.few = append(t.few, i)
			}
		}
	}
	if len(f.Devices()) > 1 {
		slices.Sort(t.few)
		t.few = slices.Compact(t.few) // a device may be named twice
	}
	for _, i := range t.few {
		if t.Full() {
			return Position{Stamp: e.stamp - 1, Next: e.events[i].n}
		}
		t.add(e, int(i))
	}
	return e.end
}

// choose flags the part's devices and metrics that the filter lets through (nil for all), and reports whether there are any.
func (t *Buffer) choose(f *filter.Filter, e *Encoded) bool {
	t.devices, t.metrics = nil, nil
	some := true
	if f.Devices() != nil || !f.Listed() {
		t.devices, some = chooseDevices(f, unset(&t.deviceFlags, len(e.devices)), e)
	}
	if some && f.Metrics() != nil {
		some = false
		t.metrics = unset(&t.metricFlags, len(e.metrics))
		for i, metric := range e.metrics {
			t.metrics[i] = f.Metrics().Has(metric)
			some = some || t.metrics[i]
		}
	}
	return some
}

// chooseDevices flags the part's devices that the filter lets through, and reports whether there are any.
func chooseDevices(f *filter.Filter, flags []bool, e *Encoded) (_ []bool, some bool) {
	if f.Devices() == nil || len(f.Devices()) > len(e.devices) {
		for i, device := range e.devices {
			flags[i] = (f.Devices() == nil || f.Devices().Has(device)) && f.Admits(device)
			some = some || flags[i]
		}
		return flags, some
	}
	for _, device := range f.Devices() {
		if i, ok := e.index[device]; ok && f.Admits(device) {
			flags[i], some = true, true
		}
	}
	return flags, some
}

// unset returns n false values in the buffer.
func unset(buffer *[]bool, n int) []bool {
	*buffer = slices.Grow((*buffer)[:0], n)[:n]
	clear(*buffer)
	return *buffer
}
