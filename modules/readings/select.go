package readings

import (
	"context"
	"slices"

	"telltale/modules/auth"
	"telltale/modules/devices"
	"telltale/platform/fault"
)

// Selection says which series are meant.
type Selection struct {
	// Devices are ids and patterns (in the syntax of path.Match; no id contains any of * ? [ \), in the order of the answer;
	// none means all devices.
	Devices []string
	// Tags must all be on the device.
	Tags []string
	// Metrics are the metrics wanted; none means all of them.
	Metrics []string
}

// selectSeries returns the series that a selection names and the principal may see, device by device in the order asked
// for, and then by metric. Tags are looked up in the database: what was changed a moment ago at any instance counts.
func (s *Service) selectSeries(ctx context.Context, who auth.Principal, wanted Selection) ([]devices.SeriesState, error) {
	sees := who.Sees
	if len(wanted.Tags) > 0 {
		tagged, err := s.registry.Tagged(ctx, wanted.Tags)
		if err != nil {
			return nil, err
		}
		sees = func(id string) bool { return tagged[id] && who.Sees(id) }
	}
	return s.registry.Select(visible(s.registry, sees, wanted.Devices), wanted.Metrics), nil
}

// visible returns the ids of those devices wanted that sees lets through, each once; of all devices if none is named.
func visible(registry *devices.Registry, sees func(id string) bool, wanted []string) []string {
	if len(wanted) == 0 {
		return registry.Devices(sees)
	}
	ids := make([]string, 0, len(wanted))
	var taken map[string]bool // needed only where patterns may name a device again
	if slices.ContainsFunc(wanted, devices.IsPattern) {
		taken = map[string]bool{}
	}
	add := func(id string) {
		if taken[id] || !sees(id) {
			return
		}
		if taken != nil {
			taken[id] = true
		}
		ids = append(ids, id)
	}
	for _, device := range wanted {
		if !devices.IsPattern(device) {
			add(device)
			continue
		}
		for _, id := range registry.Devices(func(id string) bool { return devices.MatchPattern(device, id) }) {
			add(id)
		}
	}
	return ids
}

// from returns the series from the one on where a cursor continues.
func (c *Cursor) from(states []devices.SeriesState) ([]devices.SeriesState, error) {
	if c == nil {
		return states, nil
	}
	at := slices.IndexFunc(states, func(state devices.SeriesState) bool {
		return state.Device == c.Device && state.Metric == c.Metric
	})
	if at < 0 {
		return nil, fault.InvalidField("cursor", "does not belong to this query, or its series has been deleted")
	}
	return states[at:], nil
}
