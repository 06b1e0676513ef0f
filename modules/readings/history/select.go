package history

import (
	"context"
	"slices"

	"telltale/modules/auth/access"
	"telltale/modules/devices"
	"telltale/modules/series"
	"telltale/platform/fault"
	"telltale/platform/glob"
	"telltale/platform/httpapi"
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
func (e *Engine) selectSeries(ctx context.Context, who access.Principal, wanted Selection) ([]series.State, error) {
	covered := who.Covers()
	keep := covered.Has
	if len(wanted.Tags) > 0 {
		tagged, err := e.registry.Tagged(ctx, wanted.Tags)
		if err != nil {
			return nil, err
		}
		keep = func(id string) bool { return tagged[id] && covered.Has(id) }
	}
	ids, err := e.selectDevices(ctx, covered, keep, wanted.Devices)
	if err != nil {
		return nil, err
	}
	return e.registry.Select(ids, wanted.Metrics), nil
}

// selectDevices returns the ids of those devices wanted that keep lets through, which are all covered, each once; of all
// devices if none is named.
func (e *Engine) selectDevices(
	ctx context.Context, covered *glob.Set, keep func(id string) bool, wanted []string,
) ([]string, error) {
	if len(wanted) == 0 {
		return e.registry.Devices(ctx, covered, keep)
	}
	ids := make([]string, 0, len(wanted))
	var taken map[string]bool // needed only where patterns may name a device again
	if slices.ContainsFunc(wanted, glob.Is) {
		taken = map[string]bool{}
	}
	add := func(id string) bool {
		fits := !taken[id] && keep(id)
		if fits {
			ids = append(ids, id)
		}
		if fits && taken != nil {
			taken[id] = true
		}
		return false
	}
	for _, device := range wanted {
		if !glob.Is(device) {
			add(device)
		} else if _, err := e.registry.Devices(ctx, glob.NewSet([]string{device}), add); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// from returns the series from the one on where a cursor continues.
func (c *Cursor) from(states []series.State) ([]series.State, error) {
	if c == nil {
		return states, nil
	}
	at := slices.IndexFunc(states, func(state series.State) bool {
		return state.Device == c.Device && state.Metric == c.Metric
	})
	if at < 0 {
		return nil, fault.InvalidField("cursor", "does not belong to this query, or its series has been deleted")
	}
	return states[at:], nil
}

// readSelection reads which series are meant.
func readSelection(p *httpapi.Query) Selection {
	s := Selection{Devices: p.Words("device", maxDevices), Metrics: p.Words("metric", maxDevices)}
	patterns := 0
	for _, device := range s.Devices {
		if !glob.Is(device) {
			continue
		}
		patterns++
		if err := glob.Check(device); err != nil {
			p.Fail("device", "%.140q %v", device, err)
		}
	}
	if patterns > maxPatterns {
		p.Fail("device", "may have at most %d patterns, not %d", maxPatterns, patterns)
	}
	s.Tags = p.All("tag")
	for _, tag := range s.Tags {
		if err := devices.ValidateTag(tag); err != nil {
			p.Fail("tag", "%s", err)
		}
	}
	if len(s.Tags) > maxTags {
		p.Fail("tag", "must be given at most %d times, not %d", maxTags, len(s.Tags))
	}
	return s
}
