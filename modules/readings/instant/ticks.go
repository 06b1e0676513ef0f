package instant

import "time"

// Ticks turns times counted in some unit into Unix milliseconds.
type Ticks struct {
	Unit time.Duration
	// Of these, one is 1: a tick is many milliseconds, or a millisecond has many ticks.
	millisPerTick, ticksPerMilli int64
}

// TicksOf returns the ticks of a unit that divides a millisecond or is a multiple of one; of nanoseconds for 0.
func TicksOf(unit time.Duration) Ticks {
	if unit == 0 {
		unit = time.Nanosecond
	}
	return Ticks{
		Unit: unit, millisPerTick: max(1, int64(unit/time.Millisecond)), ticksPerMilli: max(1, int64(time.Millisecond/unit)),
	}
}

// Millis returns a count of ticks in Unix milliseconds; what is finer is cut off. Not ok means that it is before the epoch or
// after Max.
func (t Ticks) Millis(count int64) (ms int64, ok bool) {
	if count < 0 || count/t.ticksPerMilli > Max/t.millisPerTick {
		return 0, false
	}
	ms = count / t.ticksPerMilli * t.millisPerTick
	return ms, ms <= Max
}
