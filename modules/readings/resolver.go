package readings

import (
	"errors"
	"slices"

	"telltale/modules/devices"
	"telltale/modules/readings/payload"
	"telltale/modules/series"
	"telltale/platform/glob"
)

// wantedName is the memory of a name that waits for its series, besides its bytes: its entry in a list and in a map.
const wantedName = 200

// resolver turns names into series for one request.
type resolver struct {
	registry *series.Registry
	covered  *glob.Set // what the token covers

	device    []byte         // the device selected
	known     series.Metrics // its series
	wanted    []series.Name
	index     map[series.Name]int32 // of wanted
	absent    map[int32]bool        // placeholders for which there is no room
	forbidden bool                  // an item's device is not covered by the token

	reserve func(bytes int) error // asked before a name is kept; nil allows all
	refused error                 // what it has answered at last
}

var errNotCovered = errors.New("is not covered by this token")

// Device implements payload.Resolver.
func (r *resolver) Device(id []byte) error {
	r.device = append(r.device[:0], id...)
	if r.covered != nil && !r.covered.Has(string(id)) {
		r.forbidden = true
		return errNotCovered
	}
	if r.known = r.registry.Metrics(id); r.known.None() {
		return devices.ValidateID(string(id))
	}
	return nil
}

// Series implements payload.Resolver. The placeholder of wanted[i] is -1-i.
func (r *resolver) Series(metric []byte) (int32, error) {
	if id, ok := r.known.Find(metric); ok {
		return id, nil
	}
	name := series.Name{Device: string(r.device), Metric: string(metric)}
	if i, ok := r.index[name]; ok {
		return -1 - i, nil
	}
	if err := devices.ValidateMetric(name.Metric); err != nil {
		return 0, err
	}
	if r.reserve != nil && r.refused == nil {
		r.refused = r.reserve(wantedName + len(name.Device) + len(name.Metric))
	}
	if r.refused != nil {
		return 0, r.refused // of the item; the request's own answer is the same
	}
	if r.index == nil {
		r.index = map[series.Name]int32{}
	}
	i := int32(len(r.wanted))
	r.wanted, r.index[name] = append(r.wanted, name), i
	return -1 - i, nil
}

// inUse returns those wanted that readings in the body still need.
func (r *resolver) inUse(body *payload.Body) (names []series.Name) {
	used := make([]bool, len(r.wanted))
	for _, id := range body.Series {
		if id < 0 {
			used[-1-id] = true
		}
	}
	for i, name := range r.wanted {
		if used[i] {
			names = append(names, name)
		}
	}
	return names
}

// leaveOut notes that there is no room for the series.
func (r *resolver) leaveOut(names []series.Name) {
	r.absent = map[int32]bool{}
	for _, name := range names {
		r.absent[-1-r.index[name]] = true
	}
}

// leftOut returns the items, in ascending order, with readings of series for which there is no room.
func (r *resolver) leftOut(body *payload.Body) (items []int32) {
	if len(r.absent) == 0 {
		return nil
	}
	for i, id := range body.Series {
		if r.absent[id] {
			items = append(items, body.Item[i])
		}
	}
	return slices.Compact(items)
}
