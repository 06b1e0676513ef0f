package payload

import (
	"strconv"
	"time"
)

// ticks turns times counted in some unit into Unix milliseconds.
type ticks struct {
	unit time.Duration
	// Of these, one is 1: a tick is many milliseconds, or a millisecond has many ticks.
	millisPerTick, ticksPerMilli int64
}

// ticksOf returns the ticks of a unit that divides a millisecond or is a multiple of one; of nanoseconds for 0.
func ticksOf(unit time.Duration) ticks {
	if unit == 0 {
		unit = time.Nanosecond
	}
	return ticks{
		unit: unit, millisPerTick: max(1, int64(unit/time.Millisecond)), ticksPerMilli: max(1, int64(time.Millisecond/unit)),
	}
}

// millis reads an integer; what is finer than milliseconds is cut off. Not ok means that it is out of range.
func (t ticks) millis(text []byte) (ms int64, ok bool) {
	n, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil || n < 0 || n/t.ticksPerMilli > MaxTS/t.millisPerTick {
		return 0, false
	}
	ms = n / t.ticksPerMilli * t.millisPerTick
	return ms, ms <= MaxTS
}
