// Package filter decides which readings one viewer may get: those of the devices, tags and metrics that its client asked for,
// within what its credentials cover.
//
// Selection is what a client asks for. Filter combines a selection with credentials, and is checked against every device of every
// batch. TagSets looks up which devices have the tags that viewers filter by, once for all viewers.
//
// The package knows no batches, no encoding and no connection.
package filter

import (
	"context"
	"slices"

	"telltale/modules/auth/access"
	"telltale/modules/series"
	"telltale/platform/glob"
)

// Filter decides which devices and metrics one viewer gets. One goroutine at a time uses it.
type Filter struct {
	// devices are the only devices to let through; nil means all that sees and tags let through, an empty list none.
	devices series.Names
	// metrics are the only metrics to let through; nil means all.
	metrics series.Names
	// sees is set when the list of devices cannot express what was asked for and may be seen.
	sees func(device string) bool
	// tags is set when only devices with certain tags are let through.
	tags *TagSet

	remember bool            // that sees takes long enough to keep its results
	seen     map[string]bool // results of sees
}

const (
	// maxSeen bounds the results of sees that a viewer keeps.
	maxSeen = 1024
	// cheapPatterns is how many patterns are tried for every event rather than remembered.
	cheapPatterns = 8
	// fewDevices is the most devices that count as few; see Few.
	fewDevices = 16
)

// New returns the filter of a selection within what the principal may see. tags is the set of the selection's tags, nil when it
// has none.
func New(wanted Selection, tags *TagSet, p access.Principal) Filter {
	f := Filter{devices: wanted.Devices, metrics: wanted.Metrics, tags: tags}
	switch {
	case wanted.Metrics != nil && len(wanted.Metrics) == 0:
		f.devices = []string{} // for the registry, no metrics means all of them
	case slices.ContainsFunc(wanted.Devices, glob.Is):
		f.devices, f.sees = nil, matching(wanted.Devices, p)
		f.remember = len(wanted.Devices)+len(p.Devices) > cheapPatterns
	case p.SeesAll():
	case wanted.Devices != nil:
		f.devices = make([]string, 0, len(wanted.Devices))
		covered := p.Covers()
		for _, device := range wanted.Devices {
			if covered.Has(device) {
				f.devices = append(f.devices, device)
			}
		}
	case !slices.ContainsFunc(p.Devices, glob.Is):
		f.devices = p.Devices
	default:
		f.sees, f.remember = p.Covers().Has, len(p.Devices) > cheapPatterns
	}
	f.devices, f.metrics = series.NewNames(f.devices), series.NewNames(f.metrics)
	return f
}

// matching returns whether a device is among those wanted, ids and patterns, and the principal may see it. A device that
// is new matches like any other.
func matching(wanted []string, p access.Principal) func(device string) bool {
	asked, covered := glob.NewSet(wanted), p.Covers()
	return func(device string) bool { return asked.Has(device) && covered.Has(device) }
}

// Devices returns the only devices that the filter lets through, in order; nil when it does not list them.
func (f *Filter) Devices() series.Names { return f.devices }

// Metrics returns the only metrics that the filter lets through, in order; nil for all.
func (f *Filter) Metrics() series.Names { return f.metrics }

// All reports whether the filter lets everything through.
func (f *Filter) All() bool { return f.Listed() && f.devices == nil && f.metrics == nil }

// Listed reports whether Devices alone says which devices the filter lets through.
func (f *Filter) Listed() bool { return f.sees == nil && f.tags == nil }

// Few reports whether the filter lists its devices, and so few that looking for each of them is cheap.
func (f *Filter) Few() bool { return f.devices != nil && len(f.devices) <= fewDevices }

// Admits reports whether the filter lets through a device that is among Devices. The filter must know the device.
func (f *Filter) Admits(device string) bool {
	return f.Permits(device) && (f.tags == nil || f.tags.has(device))
}

// Permits is Admits without the check of tags.
func (f *Filter) Permits(device string) bool {
	if f.sees == nil {
		return true
	}
	if !f.remember {
		return f.sees(device)
	}
	sees, ok := f.seen[device]
	if !ok {
		sees = f.sees(device)
		if f.seen == nil || len(f.seen) >= maxSeen {
			f.seen = map[string]bool{}
		}
		f.seen[device] = sees
	}
	return sees
}

// Knows reports whether the filter can decide about all of the devices without asking the database for their tags.
func (f *Filter) Knows(devices []string) bool { return f.tags == nil || f.tags.knows(devices) }

// Learn makes the filter know the devices. It queries the database if necessary.
func (f *Filter) Learn(ctx context.Context, devices []string) error {
	if f.Knows(devices) {
		return nil
	}
	return f.tags.learn(ctx, devices)
}

// Concerns reports whether the filter may let through events of any of the devices (the keys).
func (f *Filter) Concerns(devices map[string]int32) bool {
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
