package series

import (
	"math"
	"time"
)

// Retention says how long readings are kept. Its methods are safe for concurrent use.
type Retention struct {
	registry *Registry
	days     int // of series whose device has no retention of its own; 0 is for ever
	now      func() time.Time
}

// NewRetention returns the retention of an instance that keeps readings for the days given, 0 for ever, unless their device says
// otherwise.
func NewRetention(registry *Registry, days int, now func() time.Time) *Retention {
	return &Retention{registry: registry, days: days, now: now}
}

// Floor returns the first instant (Unix ms) of which readings are kept for the days given, 0 for ever. Answers begin there:
// they do not depend on when what is older leaves the disk.
func (r *Retention) Floor(days int) int64 {
	if days == GeneralRetention {
		days = r.days
	}
	if days == 0 {
		return math.MinInt64
	}
	return r.now().UnixMilli() - int64(days)*(24*time.Hour).Milliseconds()
}

// Keeps reports whether the newest reading of a series is still kept. A series without any has none to keep.
func (r *Retention) Keeps(newest State) bool {
	return newest.LastTS != NoReading && newest.LastTS >= r.Floor(newest.RetentionDays)
}

// Oldest returns the first instant of which readings of any series are kept.
func (r *Retention) Oldest() int64 {
	oldest, known := int64(math.MaxInt64), false
	r.registry.EachRetention(func(_ int32, days int) { oldest, known = min(oldest, r.Floor(days)), true })
	if !known {
		return r.Floor(GeneralRetention)
	}
	return oldest
}
