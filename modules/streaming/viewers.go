package streaming

import (
	"cmp"
	"slices"
	"time"

	"telltale/modules/auth"
)

// shownWords is how many devices, or metrics, of a viewer's filter are shown.
const shownWords = 10

// Watched is a viewer as administrators see it.
type Watched struct {
	RequestID string    `json:"request_id"`
	Subject   string    `json:"subject"`
	Address   string    `json:"address"`
	Since     time.Time `json:"since"`
	Filter    Asked     `json:"filter"`
	// Position is the place in the log up to which the viewer has been served.
	Position string `json:"position"`
	// LagBatches is how many batches come after it, LagSeconds how long ago the first of them was committed: 0 without any,
	// nil when that is so long ago that it is not in memory. A viewer with a pace does not lag until its time has come.
	LagBatches int64    `json:"lag_batches"`
	LagSeconds *float64 `json:"lag_seconds"`
	Events     int64    `json:"events"`
	Bytes      int64    `json:"bytes"`
}

// Asked is what a viewer asked for. Lists have their first elements only; the counts tell how many there are, and 0 that
// nothing is left out.
type Asked struct {
	Devices     []string `json:"devices"`
	DeviceCount int      `json:"device_count"`
	Tags        []string `json:"tags"`
	Metrics     []string `json:"metrics"`
	MetricCount int      `json:"metric_count"`
	Every       string   `json:"every"`
	Interval    string   `json:"interval"`
	Slow        string   `json:"slow"`
}

// Viewers returns the streams of this instance, the oldest first. Whoever does not see all devices gets those of the same
// credentials only: what others ask for may name devices that are hidden.
func (h *Hub) Viewers(who auth.Principal) []Watched {
	list := []Watched{}
	for _, p := range h.pumps {
		for _, v := range p.members() {
			if who.SeesAll() || accountOf(v.request.Principal) == accountOf(who) {
				list = append(list, h.look(v, time.Now()))
			}
		}
	}
	slices.SortFunc(list, func(a, b Watched) int {
		return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.RequestID, b.RequestID))
	})
	return list
}

func (h *Hub) look(v *viewer, now time.Time) Watched {
	v.mu.Lock()
	at, resting := v.progress(), v.rests()
	v.mu.Unlock()
	r := v.request
	w := Watched{
		RequestID: r.ID, Subject: r.Principal.Subject, Address: r.Address, Since: v.began.UTC(), Position: at.pos.String(),
		Events: at.events, Bytes: at.bytes,
		Filter: Asked{
			Devices: first(r.Devices), DeviceCount: len(r.Devices), Tags: first(r.Tags), Metrics: first(r.Metrics),
			MetricCount: len(r.Metrics), Slow: string(cmp.Or(r.Slow, replay)),
		},
	}
	if r.Every > 0 {
		w.Filter.Every = r.Every.String()
	}
	if r.Buckets != nil {
		w.Filter.Interval = r.Buckets.Interval.String()
	}
	if resting {
		w.LagSeconds = new(float64)
		return w
	}
	w.LagBatches, w.LagSeconds = h.lag(at.pos, now)
	return w
}

// lag returns how far a position is behind the log.
func (h *Hub) lag(at Position, now time.Time) (batches int64, seconds *float64) {
	next, _, ok := h.window.Next(at.Seq)
	if !ok {
		return max(0, h.window.Head()-at.Seq), nil
	}
	behind := 0.0
	if len(next) > 0 {
		behind = max(0, now.Sub(next[0].CommittedAt).Seconds())
	}
	return int64(len(next)), &behind
}

// first returns a copy of the first words, empty rather than nil.
func first(words []string) []string {
	return append([]string{}, words[:min(len(words), shownWords)]...)
}

// furthest returns how many batches the viewer that is furthest behind has before it.
func (h *Hub) furthest() float64 {
	furthest := int64(0)
	head := h.window.Head()
	for _, p := range h.pumps {
		for _, v := range p.members() {
			v.mu.Lock()
			if !v.rests() {
				furthest = max(furthest, head-v.progress().pos.Seq)
			}
			v.mu.Unlock()
		}
	}
	return float64(furthest)
}
