package devices

import (
	"fmt"
	"math"
	"slices"
	"strings"
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
	// RetentionDays is how long the device's readings are kept, 0 for ever; GeneralRetention is the general setting.
	RetentionDays int
	// LastSeq is the batch that the newest reading came with, 0 when that was before this registry began to observe.
	LastSeq int64
}

// Registry holds every known series in memory: it turns names into ids on the way in, ids into names on the way out, and
// keeps the newest reading of each. It follows the log (Observe, Drop) and asks the database only for what it has not met.
//
// Its size is that of the series table: about 250 bytes a series. Methods are safe for concurrent use.
type Registry struct {
	store registryStore
	limit int // most series that may exist

	mu sync.RWMutex
	// devices has each device's series in order of metric. The slices are never changed but replaced, so that one may be
	// read after mu is given back; of the states, only the newest reading, the unit and the retention change.
	devices map[string][]*SeriesState
	count   int            // of series
	byID    []*SeriesState // by id; nil where the id is unknown, dropped where its series has been
	seq     int64          // of the batch observed last
	base    int64          // what has been read from the database is as of this batch, or earlier
}

// dropped stands where a series was: ids are never used again, so whoever read the series before its removal and adds it
// after must not bring it back.
var dropped = &SeriesState{}

// NewRegistry returns an empty registry; call Load before use.
func NewRegistry(db database) *Registry {
	return &Registry{store: registryStore{db}, limit: math.MaxInt, devices: map[string][]*SeriesState{}}
}

// Limit sets how many series may exist; Register refuses more. Call it before use.
func (r *Registry) Limit(series int) { r.limit = series }

// Room returns how many more series may be registered.
func (r *Registry) Room() int { return max(0, r.limit-r.Size()) }

// Full says why there are no more series.
func (r *Registry) Full() string {
	return fmt.Sprintf("there are %d of the %d that MAX_SERIES allows", r.Size(), r.limit)
}

// Metrics are the series of one device at one moment.
type Metrics struct{ series []*SeriesState }

// Metrics returns the series of a device, none when the registry has not met it. It allocates nothing.
func (r *Registry) Metrics(device []byte) Metrics {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return Metrics{r.devices[string(device)]}
}

// None reports whether there is no series at all.
func (m Metrics) None() bool { return len(m.series) == 0 }

// Find returns the id of a metric's series, or ok=false when there is none. It allocates nothing.
func (m Metrics) Find(metric []byte) (id int32, ok bool) {
	if len(m.series) <= 8 { // faster than a search, and the common case
		for _, s := range m.series {
			if s.Metric == string(metric) {
				return s.ID, true
			}
		}
		return 0, false
	}
	i, ok := slices.BinarySearchFunc(m.series, metric, func(s *SeriesState, metric []byte) int {
		return strings.Compare(s.Metric, string(metric))
	})
	if !ok {
		return 0, false
	}
	return m.series[i].ID, true
}

// Size returns how many series there are.
func (r *Registry) Size() int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.count
}

// Find returns the id of a series, or ok=false when the registry has not met it.
func (r *Registry) Find(device, metric string) (id int32, ok bool) {
	return r.Metrics([]byte(device)).Find([]byte(metric))
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

// RetentionDays returns how long the readings of the series with the id are kept, as its state has it.
func (r *Registry) RetentionDays(id int32) int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if s := r.at(id); s != nil {
		return s.RetentionDays
	}
	return GeneralRetention
}

// EachRetention calls a function with the id of every series and how long its device's readings are kept. The function is
// called with the registry locked.
func (r *Registry) EachRetention(call func(id int32, days int)) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for id := range r.byID {
		if s := r.at(int32(id)); s != nil {
			call(s.ID, s.RetentionDays)
		}
	}
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
	for _, s := range r.devices[device] {
		ts = max(ts, s.LastTS)
	}
	return ts, ts != NoReading
}

// Select returns the states of the series of the devices and metrics named, in the order of devices given and then of
// metric. No metrics means all of them; unknown names are passed over.
func (r *Registry) Select(devices, metrics []string) []SeriesState {
	wanted := NewNames(metrics)
	r.mu.RLock()
	defer r.mu.RUnlock()
	states := make([]SeriesState, 0, len(devices)*max(2, min(len(metrics), 8))) // a device has few of many metrics
	for _, device := range devices {
		for _, s := range r.devices[device] {
			if len(wanted) == 0 || wanted.Has(s.Metric) {
				states = append(states, *s)
			}
		}
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

// Observe takes the readings of the batch seq into account; a reading at the instant of the newest one corrects it. The
// three slices are parallel, ts is in Unix milliseconds; ids that the registry does not know are passed over.
func (r *Registry) Observe(seq int64, series []int32, ts []int64, value []float64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seq = seq
	for i, id := range series {
		if s := r.at(id); s != nil && ts[i] >= s.LastTS {
			s.LastTS, s.LastValue, s.LastSeq = ts[i], value[i], seq
		}
	}
}

// Unknown returns those ids, each once, that the registry does not know.
func (r *Registry) Unknown(ids []int32) []int32 {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var unknown []int32
	for _, id := range ids {
		if r.at(id) == nil {
			unknown = append(unknown, id)
		}
	}
	slices.Sort(unknown)
	return slices.Compact(unknown)
}

// ids returns the set of every id known.
func (r *Registry) ids() map[int32]struct{} {
	r.mu.RLock()
	defer r.mu.RUnlock()
	ids := map[int32]struct{}{}
	for _, s := range r.byID {
		if s != nil && s != dropped {
			ids[s.ID] = struct{}{}
		}
	}
	return ids
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
		r.count--
		// A device of the same name that has been made since stays.
		left := slices.DeleteFunc(slices.Clone(r.devices[s.Device]), func(known *SeriesState) bool { return known == s })
		if r.devices[s.Device] = left; len(left) == 0 {
			delete(r.devices, s.Device)
		}
	}
}

// replace forgets everything, as a new registry, and makes the series given known.
func (r *Registry) replace(states []SeriesState) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.devices, r.byID, r.count = map[string][]*SeriesState{}, nil, 0
	r.learn(states)
}

// add makes series known, or corrects the unit and retention of known ones; what the log has told about the newest reading is kept.
func (r *Registry) add(states []SeriesState) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.learn(states)
}

// learn does what add says. The caller holds mu.
func (r *Registry) learn(states []SeriesState) {
	for _, state := range states {
		r.grow(state.ID)
		if known := r.byID[state.ID]; known == dropped {
			continue
		} else if known != nil {
			known.Unit, known.RetentionDays = state.Unit, state.RetentionDays
			continue
		}
		r.count++
		r.byID[state.ID] = &state
		r.devices[state.Device] = with(r.devices[state.Device], &state)
	}
}

// with returns the series of a device with one more. Of two for the same metric the newer one exists, the other has been
// dropped with an older device of the same name.
func with(series []*SeriesState, added *SeriesState) []*SeriesState {
	i, taken := slices.BinarySearchFunc(series, added.Metric, func(s *SeriesState, metric string) int {
		return strings.Compare(s.Metric, metric)
	})
	series = slices.Clone(series)
	switch {
	case !taken:
		return slices.Insert(series, i, added)
	case series[i].ID < added.ID:
		series[i] = added
	}
	return series
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
