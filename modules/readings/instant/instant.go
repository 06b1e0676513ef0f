// Package instant parses the times of readings, from bodies and from queries alike, and says what is wrong with those that it
// rejects.
//
// It owns the accepted forms (RFC 3339, or a count of some unit since the epoch), the range from Min to Max, and the guess which
// unit a count was probably meant in. Package payload decides which times a posted reading may have relative to now.
package instant

import (
	"fmt"
	"time"
)

// Min and Max bound, in Unix milliseconds, the times that can be asked for: from the epoch on, and before the year 2200.
const (
	Min int64 = 0
	Max int64 = 7_258_118_400_000 - 1
)

// Floor is the earliest time that a reading may have, 1971-01-01T00:00:00Z in Unix milliseconds. A present time in a unit
// a thousand times coarser than the one it is read in lies in January 1970, as do the times of clocks that were never set.
const Floor int64 = 31_536_000_000

// units are those that senders count time in, by what errors call them.
var units = []struct {
	size time.Duration
	// name is that in a sentence, precision that in the parameter of this name.
	name, precision string
}{
	{time.Second, "seconds", "s"},
	{time.Millisecond, "milliseconds", "ms"},
	{time.Microsecond, "microseconds", "us"},
	{time.Nanosecond, "nanoseconds", "ns"},
}

// TooEarly says why a time before Floor, in Unix milliseconds, is refused, and which unit it was probably meant in: for
// seconds, "is 1970-01-21T18:12:14.400Z; it looks like seconds: send milliseconds". It does not repeat the time.
func TooEarly(ms int64) string {
	return Strange(ms, time.Millisecond, "send milliseconds")
}

// Strange says why a count of units since the epoch is no time of a reading. remedy is what is to be done when the count
// looks like another unit; empty names the parameter `precision`.
func Strange(count int64, unit time.Duration, remedy string) string {
	if i := likely(count); i >= 0 && units[i].size != unit {
		if remedy == "" {
			remedy = "say precision=" + units[i].precision
		}
		return fmt.Sprintf("%s; it looks like %s: %s", meant(count, unit), units[i].name, remedy)
	}
	return meant(count, unit) + "; " + Range
}

// likely returns the index of the unit in which the count is a time from 2000 until 2100, -1 if there is none.
func likely(count int64) int {
	const year2000, year2100 = 946_684_800, 4_102_444_800
	for i, u := range units {
		if seconds := count / int64(time.Second/u.size); seconds >= year2000 && seconds < year2100 {
			return i
		}
	}
	return -1
}

// meant says which time a count of units since the epoch is, as far as the calendar goes.
func meant(count int64, unit time.Duration) string {
	const year10000 = 253_402_300_800_000 // beyond it, RFC 3339 has no form
	t := TicksOf(unit)
	ms := count / t.ticksPerMilli
	switch {
	case count < 0:
		return "is before 1970"
	case ms > (year10000-1)/t.millisPerTick:
		return "is after the year 9999"
	}
	return "is " + time.UnixMilli(ms*t.millisPerTick).UTC().Format("2006-01-02T15:04:05.999Z07:00")
}

// Parse reads a time in every form that a reading may have it in, as Unix milliseconds: RFC 3339, or a number of
// milliseconds, which is counted. It may be out of the range of readings.
func Parse[T string | []byte](text T) (ms int64, counted, ok bool) {
	b := []byte(text)
	if ms, ok = Digits(b); ok {
		return ms, true, true
	}
	ms, ok = rfc3339(b)
	return ms, false, ok
}
