package streaming

import (
	"cmp"
	"slices"
	"time"

	"telltale/modules/auth/access"
	"telltale/modules/streaming/request"
)

// Watched is a viewer as administrators see it.
type Watched struct {
	RequestID string          `json:"request_id"`
	Subject   string          `json:"subject"`
	Address   string          `json:"address"`
	Since     time.Time       `json:"since"`
	Filter    request.Summary `json:"filter"`
	// Position is how far in the log the viewer has been served.
	Position string `json:"position"`
	// LagBatches is how many batches come after it, LagSeconds how long ago the first of them was committed: 0 without any,
	// nil when that is so long ago that it is not in memory. A viewer with a pace does not lag until its time has come.
	LagBatches int64    `json:"lag_batches"`
	LagSeconds *float64 `json:"lag_seconds"`
	Events     int64    `json:"events"`
	Bytes      int64    `json:"bytes"`
}

// Viewers returns the streams of this instance, the oldest first. A principal that does not see all devices gets only the
// streams of the same credentials: what others ask for may name devices that are hidden.
func (h *Hub) Viewers(who access.Principal) []Watched {
	list := []Watched{}
	for _, p := range h.pumps {
		for _, v := range p.members() {
			if who.SeesAll() || v.request.Principal.Owner() == who.Owner() {
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
	at, resting := v.progress(), v.idle()
	v.mu.Unlock()
	r := v.request
	w := Watched{
		RequestID: r.ID, Subject: r.Principal.Subject, Address: r.Address, Since: v.began.UTC(), Position: at.pos.String(),
		Events: at.events, Bytes: at.bytes,
		Filter: r.Summarize(),
	}
	if resting {
		w.LagSeconds = new(float64)
		return w
	}
	w.LagBatches, w.LagSeconds = h.lag(at, now)
	return w
}

// lag returns how far a position is behind the log.
func (h *Hub) lag(at progress, now time.Time) (batches int64, seconds *float64) {
	next, _, ok := h.window.Next(at.pos.Stamp)
	if !ok {
		return h.window.Behind(at.passed), nil
	}
	behind := 0.0
	if len(next) > 0 {
		behind = max(0, now.Sub(next[0].CommittedAt).Seconds())
	}
	return int64(len(next)), &behind
}

// furthest returns how many batches the viewer that is furthest behind has before it.
func (h *Hub) furthest() float64 {
	furthest := int64(0)
	now := time.Now()
	for _, p := range h.pumps {
		for _, v := range p.members() {
			v.mu.Lock()
			if !v.idle() {
				behind, _ := h.lag(v.progress(), now)
				furthest = max(furthest, behind)
			}
			v.mu.Unlock()
		}
	}
	return float64(furthest)
}
