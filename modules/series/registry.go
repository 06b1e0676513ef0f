// Package series knows which series exist and the newest reading of each.
//
// A series is one metric of one device, and has a small id inside the database. The registry turns names into ids for ingest and
// ids into names for answers. It finds the devices that match a pattern, registers new series with their devices, and keeps newest
// readings as the tail of the log reports them.
//
// Package devices owns what a user says of a device. Package readings owns all readings but the newest.
package series

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"
)

// Series is one device's one metric.
type Series struct {
	// ID is the small integer that stands for the series inside the database; it is never used again for another one.
	ID     int32
	Device string
	Metric string
	Unit   string
}

// GeneralRetention stands for the general setting where a number of days is expected.
const GeneralRetention = -1

// NoReading is the LastTS of a series that has no reading yet.
const NoReading = math.MinInt64

// State is a series and its newest reading that is not ahead of now (see AheadGrace). Instants are in Unix
// milliseconds.
type State struct {
	Series
	LastTS    int64
	LastValue float64
	// ArrivedAt is when a reading was last committed, whatever its own time is; NoReading before the first.
	ArrivedAt int64
	// AheadTS is the newest instant of readings that were ahead of now when they came; NoReading without any.
	AheadTS int64
	// RetentionDays is how long the device's readings are kept, 0 for ever; GeneralRetention is the general setting.
	RetentionDays int
	// LastStamp is that of the batch that the newest reading came with, 0 when that was before this registry began to observe. Of a
	// forecast that has become the newest reading it is that of the one before.
	LastStamp int64

	settled int64 // the number of the last settlement that made a forecast the newest reading
}

// Registry holds every known series in memory: it turns names into ids on the way in, ids into names on the way out, and
// keeps the newest reading of each. It follows the log (Observe, Drop) and asks the database only for what it has not met.
//
// Its size is that of the series table: about 250 bytes a series. Methods are safe for concurrent use.
type Registry struct {
	store registryStore
	limit int // most series that may exist

	// learning is held by those who change which series there are, in the order learning, mu. They prepare what is new with
	// learning alone and hold mu for steps of lockStep only: ingest and history need mu, and never wait long.
	learning sync.Mutex

	// What follows is read with mu. Of which series there are it is written with both locks, so learning is enough to read it.
	mu sync.RWMutex
	// devices has each device's series in order of metric, known the ids of all devices that have any. Of the states only the
	// newest reading, the unit and the retention change.
	devices map[string]ordered[*State]
	known   ordered[deviceID]
	version int64    // of known
	count   int      // of series
	byID    []*State // by id; nil where the id is unknown, dropped where its series has been
	stamp   int64    // of the batch observed last
	base    int64    // what has been read from the database is as of this batch, or earlier
	changes int64    // of a known series' retention
	// shortest is at most how many days any device's readings are kept that has a number of its own; 0 without any.
	shortest int

	now             func() time.Time   // set before use
	forecasts       map[int32]forecast // by id of the series that have readings ahead of now
	agenda          agenda             // of forecasts
	settled         int64              // how often Settle has been called
	settlements     []settlement       // that changed newest readings, the last of them, in order
	settlementsFrom int64              // the number from which on settlements has all
	deleted         int64              // the batch that deleted readings last
}

func (s *State) key() string { return s.Metric }

// deviceID is a device's id in the order of ids.
type deviceID string

func (d deviceID) key() string { return string(d) }

// dropped stands where a series was: ids are never used again, so a caller that read the series before its removal and adds it
// after must not bring it back.
var dropped = &State{}

// NewRegistry returns an empty registry; call Load before use.
func NewRegistry(db database) *Registry {
	return &Registry{store: registryStore{db}, limit: math.MaxInt, devices: map[string]ordered[*State]{}, now: time.Now, forecasts: map[int32]forecast{}}
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
type Metrics struct{ series ordered[*State] }

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
	if len(m.series) == 0 {
		return 0, false
	}
	block := m.series[0]
	if len(m.series) > 1 {
		i, found := slices.BinarySearchFunc(m.series, metric, func(b []*State, metric []byte) int {
			return strings.Compare(b[0].Metric, string(metric))
		})
		if !found {
			i = max(0, i-1)
		}
		block = m.series[i]
	}
	return find(block, metric)
}

// find looks for a metric in a block.
func find(block []*State, metric []byte) (id int32, ok bool) {
	if len(block) <= 8 { // faster than a search, and the common case
		for _, s := range block {
			if s.Metric == string(metric) {
				return s.ID, true
			}
		}
		return 0, false
	}
	i, ok := slices.BinarySearchFunc(block, metric, func(s *State, metric []byte) int {
		return strings.Compare(s.Metric, string(metric))
	})
	if !ok {
		return 0, false
	}
	return block[i].ID, true
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

// RetentionChanges returns a number that is another one once the retention of a known series has changed.
func (r *Registry) RetentionChanges() int64 {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.changes
}

// noteRetention notes a device's retention. The caller holds mu.
func (r *Registry) noteRetention(days int) {
	if days > 0 && (r.shortest == 0 || days < r.shortest) {
		r.shortest = days
	}
}

// ShortestRetention returns a number of days that is at most what any device has of its own, 0 when none has.
func (r *Registry) ShortestRetention() int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.shortest
}

// EachRetention calls a function with the id of every series and how long its device's readings are kept. Series that come
// or go meanwhile may be left out.
func (r *Registry) EachRetention(call func(id int32, days int)) {
	ids, days := make([]int32, 0, lockStep), make([]int, 0, lockStep)
	for at, more := 0, true; more; at += lockStep {
		ids, days, more = r.retentions(ids[:0], days[:0], at)
		for i, id := range ids {
			call(id, days[i])
		}
	}
}

// retentions appends the ids and retentions of the series whose ids are in the step from at on. more is false behind the last.
func (r *Registry) retentions(ids []int32, days []int, at int) (_ []int32, _ []int, more bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	end := min(at+lockStep, len(r.byID))
	for id := at; id < end; id++ {
		if s := r.at(int32(id)); s != nil {
			ids, days = append(ids, s.ID), append(days, s.RetentionDays)
		}
	}
	return ids, days, end < len(r.byID)
}

// Device returns the states of a device's series in order of metric, empty when none is known.
func (r *Registry) Device(id string) []State {
	return r.Select([]string{id}, nil)
}

// LastSeen returns when readings of a device last arrived, whatever their own times are, in Unix milliseconds.
func (r *Registry) LastSeen(device string) (at int64, ok bool) {
	at = NoReading
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, block := range r.devices[device] {
		for _, s := range block {
			at = max(at, s.ArrivedAt)
		}
	}
	return at, at != NoReading
}

// Select returns the states of the series of the devices and metrics named, in the order of devices given and then of
// metric. No metrics means all of them; unknown names are passed over. The states of many series are not of one moment.
func (r *Registry) Select(devices, metrics []string) []State {
	wanted := NewNames(metrics)
	states := make([]State, 0, len(devices)*max(2, min(len(metrics), 8))) // a device has few of many metrics
	r.mu.RLock()
	defer r.mu.RUnlock()
	looked := 0
	for _, device := range devices {
		looked++
		for _, block := range r.devices[device] {
			for _, s := range block {
				if len(wanted) == 0 || wanted.Has(s.Metric) {
					states = append(states, *s)
				}
			}
			looked += len(block)
		}
		if looked >= lockStep {
			looked = 0
			r.mu.RUnlock() // lets those in who wait to write
			r.mu.RLock()
		}
	}
	return states
}

// knownDevices returns the ids of all devices with a series, and the version of that list.
func (r *Registry) knownDevices() (ordered[deviceID], int64) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.known, r.version
}

// Observe takes the readings of the batch with the stamp, committed at the time given, into account; a reading at the instant of the
// newest one corrects it. The three slices are parallel, ts is in Unix milliseconds; ids that the registry does not know are
// passed over.
func (r *Registry) Observe(stamp int64, at time.Time, series []int32, ts []int64, value []float64) {
	arrived, horizon := at.UnixMilli(), r.Horizon()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stamp = stamp
	for i, id := range series {
		s := r.at(id)
		if s == nil {
			continue
		}
		s.ArrivedAt = arrived
		switch {
		case ts[i] > horizon:
			s.AheadTS = max(s.AheadTS, ts[i])
			r.foresee(id, ts[i], shortestAhead)
		case ts[i] >= s.LastTS:
			s.LastTS, s.LastValue, s.LastStamp = ts[i], value[i], stamp
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

// at returns the state behind an id, nil when it is unknown. The caller holds mu.
func (r *Registry) at(id int32) *State {
	if id < 0 || int(id) >= len(r.byID) || r.byID[id] == dropped {
		return nil
	}
	return r.byID[id]
}
