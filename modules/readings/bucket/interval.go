package bucket

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"

	"telltale/modules/readings/chunk"
)

// Interval is the width of a bucket: a fixed number of milliseconds, of calendar days, or of calendar months.
type Interval struct {
	// Millis is the width; of calendar ones its nominal length, in which a month has 30 days.
	Millis int64
	Days   int
	Months int
	// Weeks is set beside Days for weeks, which begin on Monday; as many days do not.
	Weeks int
}

// intervalUnits are the units of an interval in milliseconds.
var intervalUnits = map[byte]int64{'s': 1000, 'm': chunk.Minute, 'h': chunk.Hour, 'd': chunk.Day, 'w': 7 * chunk.Day}

// maxMonths is the most months of an interval, MaxInterval the widest other one.
const (
	maxMonths   = 12
	MaxInterval = 366 * chunk.Day
)

var errInterval = errors.New(`must be a whole number and a unit, from "1s" to "366d": s, m, h, d or w; or up to a year of calendar months: mo or y`)

// ParseInterval reads an interval such as "10s", "15m", "1h", "1d", "1w", "1mo" or "1y".
func ParseInterval(text string) (Interval, error) {
	if text == "" {
		return Interval{}, errInterval
	}
	for suffix, months := range map[string]int{"mo": 1, "y": 12} {
		if number, ok := strings.CutSuffix(text, suffix); ok {
			count, err := strconv.ParseUint(number, 10, 8)
			if err != nil || count == 0 || int(count)*months > maxMonths {
				return Interval{}, errInterval
			}
			return monthly(int(count) * months), nil
		}
	}
	letter := text[len(text)-1]
	unit := intervalUnits[letter]
	count, err := strconv.ParseUint(text[:len(text)-1], 10, 32)
	if err != nil || unit == 0 || count == 0 || int64(count)*unit > MaxInterval {
		return Interval{}, errInterval
	}
	interval := Interval{Millis: int64(count) * unit}
	if interval.Millis%chunk.Day == 0 {
		interval.Days = int(interval.Millis / chunk.Day)
	}
	if letter == 'w' {
		interval.Weeks = int(count)
	}
	return interval, nil
}

func monthly(months int) Interval {
	return Interval{Millis: int64(months) * 30 * chunk.Day, Months: months}
}

// String returns the interval as ParseInterval reads it.
func (i Interval) String() string {
	switch {
	case i.Months == 12:
		return "1y"
	case i.Months > 0:
		return strconv.Itoa(i.Months) + "mo"
	case i.Weeks > 0:
		return strconv.Itoa(i.Weeks) + "w"
	}
	for _, unit := range []string{"d", "h", "m"} {
		if width := intervalUnits[unit[0]]; i.Millis%width == 0 {
			return strconv.FormatInt(i.Millis/width, 10) + unit
		}
	}
	return strconv.FormatInt(i.Millis/1000, 10) + "s"
}

// roundIntervals are the widths that AutoInterval chooses from.
var roundIntervals = strings.Fields("1s 2s 5s 10s 15s 30s 1m 2m 5m 10m 15m 30m 1h 2h 3h 6h 12h 1d 2d 1w 2w 1mo 3mo 6mo 1y")

// manyDays is from where on an automatic interval is at least a day: the statistics of days are a twenty-fourth of those
// of hours, and half a year of days fills a chart.
const manyDays = 180 * chunk.Day

// AutoInterval returns the narrowest round interval, not narrower than least, that divides [from, to) in the zone into at
// most the number of buckets given; the widest there is when none does.
func AutoInterval(from, to int64, zone *time.Location, most int, least Interval) Interval {
	if to-from > manyDays {
		least.Millis = max(least.Millis, chunk.Day)
	}
	var interval Interval
	for _, text := range roundIntervals {
		interval, _ = ParseInterval(text)
		if interval.Millis >= least.Millis && NewGrid(interval, zone).Count(from, to) <= int64(most) {
			break
		}
	}
	return interval
}

// ParseDuration reads a length of time such as 90m, 24h, 7d or 52w, in milliseconds.
func ParseDuration(text string) (int64, error) {
	count, err := strconv.ParseUint(text[:len(text)-1], 10, 32)
	unit := intervalUnits[text[len(text)-1]]
	if err != nil || unit == 0 || count > uint64(math.MaxInt64/unit) {
		return 0, errInterval
	}
	return int64(count) * unit, nil
}
