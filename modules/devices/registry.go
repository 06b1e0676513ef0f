package devices

import (
	"math"
	"slices"
	"sync"
)

// Series is one device's one metric.
type Series struct {
	// ID is the small integer that stands for the series inside the database; it is never used again for another one.
	ID     int32
	Device string
	Metric string
	Unit   string
}

// NoReading is the LastTS of a series that has no reading yet.
const NoReading = math.MinInt64

// SeriesState is a series and its newest reading. LastTS is in Unix milliseconds.
type SeriesState struct {
	Series
	LastTS    int64
	LastValue float64
}

// Registry holds every known series in memory: it turns names into ids on the way in, ids into names on the way out, and
// keeps the newest reading of each. It follows the log (Observe, Drop) and asks the database only for what it has not met.
//
// Its size is that of the series table: about 250 bytes a series. Methods are safe for concurrent use.
type Registry struct {
	store registryStore

	mu      sync.RWMutex
	devices map[string]*entry
	byID    []*SeriesState // by id; nil where the id is unknown, dropped where its series has been
}

// dropped stands where a series was: ids are never used again, so whoever read the series before its removal and adds it
// after must not bring it back.
var dropped = &SeriesState{}

// entry is a device as the registry knows it; guarded by Registry.mu.
type entry struct {
	metrics map[string]*SeriesState
}

// NewRegistry returns an empty registry; call Load before use.
func NewRegistry(db database) *Registry {
	return &Registry{store: registryStore{db}, devices: map[string]*entry{}}
}

// Find returns the id of a series, or ok=false when the registry has not met it. It allocates nothing.
func (r *Registry) Find(device, metric []byte) (id int32, ok bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	e := r.devices[string(device)]
	if e == nil {
		return 0, false
	}
	s := e.metrics[string(metric)]
	if s == nil {
		return 0, false
	}
	return s.ID, true
}

// ByID returns the series with the id.
func (r *Registry) ByID(id int32) (Series, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if s := r.at(id); s != nil {
		return s.Series, true
	}
	return Series{}, false
}

// Device returns the states of a device's series in order of metric, empty when none is known.
func (r *Registry) Device(id string) []SeriesState {
	return r.Select([]string{id}, nil)
}

// LastSeen returns the time of a device's newest reading in Unix milliseconds.
func (r *Registry) LastSeen(device string) (ts int64, ok bool) {
	ts = NoReading
	r.mu.RLock()
	defer r.mu.RUnlock()
	if e := r.devices[device]; e != nil {
		for _, s := range e.metrics {
			ts = max(ts, s.LastTS)
		}
	}
	return ts, ts != NoReading
}

// Select returns the states of the series of the devices and metrics named, in the order of devices given and then of
// metric. No metrics means all of them; unknown names are passed over.
func (r *Registry) Select(devices, metrics []string) []SeriesState {
	r.mu.RLock()
	defer r.mu.RUnlock()
	states := make([]SeriesState, 0, len(devices)*max(1, len(metrics)))
	for _, device := range devices {
		e := r.devices[device]
		if e == nil {
			continue
		}
		start := len(states)
		for name, s := range e.metrics {
			if len(metrics) == 0 || slices.Contains(metrics, name) {
				states = append(states, *s)
			}
		}
		slices.SortFunc(states[start:], byMetric)
	}
	return states
}

// Devices returns the ids of every device that has a series and for which keep returns true, sorted.
func (r *Registry) Devices(keep func(id string) bool) []string {
	r.mu.RLock()
	ids := make([]string, 0, len(r.devices))
	for id := range r.devices {
		if keep(id) {
			ids = append(ids, id)
		}
	}
	r.mu.RUnlock()
	slices.Sort(ids)
	return ids
}

// Observe takes the readings of a batch into account; a reading at the instant of the newest one corrects it. The
// three slices are parallel, ts is in Unix milliseconds. It returns the ids that the registry does not know.
func (r *Registry) Observe(series []int32, ts []int64, value []float64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, id := range series {
		if s := r.at(id); s != nil && ts[i] >= s.LastTS {
			s.LastTS, s.LastValue = ts[i], value[i]
		}
	}
}

// Unknown returns those ids, each once, that the registry does not know.
func (r *Registry) Unknown(ids []int32) []int32 {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var unknown []int32
	for _, id := range ids {
		if r.at(id) == nil && !slices.Contains(unknown, id) {
			unknown = append(unknown, id)
		}
	}
	return unknown
}

// Drop forgets series for good, and the devices that have none left.
func (r *Registry) Drop(ids []int32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range ids {
		s := r.at(id)
		r.grow(id)
		r.byID[id] = dropped
		if s == nil {
			continue
		}
		e := r.devices[s.Device]
		if e == nil || e.metrics[s.Metric] != s { // a device of the same name has been made since
			continue
		}
		delete(e.metrics, s.Metric)
		if len(e.metrics) == 0 {
			delete(r.devices, s.Device)
		}
	}
}

// add makes series known, or corrects the unit of known ones; what the log has told about the newest reading is kept.
func (r *Registry) add(states []SeriesState) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, state := range states {
		r.grow(state.ID)
		if known := r.byID[state.ID]; known == dropped {
			continue
		} else if known != nil {
			known.Unit = state.Unit
			continue
		}
		e := r.devices[state.Device]
		if e == nil {
			e = &entry{metrics: map[string]*SeriesState{}}
			r.devices[state.Device] = e
		}
		r.byID[state.ID] = &state
		if older := e.metrics[state.Metric]; older == nil || older.ID < state.ID { // the newest of the same name is the one that exists
			e.metrics[state.Metric] = &state
		}
	}
}

// grow makes room in byID for an id. The caller holds mu.
func (r *Registry) grow(id int32) {
	if n := int(id) + 1 - len(r.byID); n > 0 {
		r.byID = append(r.byID, make([]*SeriesState, n)...)
	}
}

// at returns the state behind an id, nil when it is unknown. The caller holds mu.
func (r *Registry) at(id int32) *SeriesState {
	if id < 0 || int(id) >= len(r.byID) || r.byID[id] == dropped {
		return nil
	}
	return r.byID[id]
}

func byMetric(a, b SeriesState) int {
	if a.Metric < b.Metric {
		return -1
	}
	return 1
}
