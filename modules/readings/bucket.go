package readings

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// Interval is the width of a bucket: a fixed number of milliseconds, of calendar days, or of calendar months.
type Interval struct {
	// Millis is the width; of calendar ones its nominal length, in which a month has 30 days.
	Millis int64
	Days   int
	Months int
}

const (
	minute = 60_000
	hour   = 60 * minute
	day    = 24 * hour
)

// intervalUnits are the units of an interval in milliseconds.
var intervalUnits = map[byte]int64{'s': 1000, 'm': minute, 'h': hour, 'd': day, 'w': 7 * day}

// maxMonths is the most months of an interval, maxInterval the widest other one.
const (
	maxMonths   = 12
	maxInterval = 366 * day
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
	unit := intervalUnits[text[len(text)-1]]
	count, err := strconv.ParseUint(text[:len(text)-1], 10, 32)
	if err != nil || unit == 0 || count == 0 || int64(count)*unit > maxInterval {
		return Interval{}, errInterval
	}
	width := int64(count) * unit
	if width%day == 0 {
		return Interval{Millis: width, Days: int(width / day)}, nil
	}
	return Interval{Millis: width}, nil
}

func monthly(months int) Interval { return Interval{Millis: int64(months) * 30 * day, Months: months} }

// String returns the interval as ParseInterval reads it.
func (i Interval) String() string {
	switch {
	case i.Months == 12:
		return "1y"
	case i.Months > 0:
		return strconv.Itoa(i.Months) + "mo"
	}
	for _, unit := range []string{"d", "h", "m"} {
		if width := intervalUnits[unit[0]]; i.Millis%width == 0 {
			return strconv.FormatInt(i.Millis/width, 10) + unit
		}
	}
	return strconv.FormatInt(i.Millis/1000, 10) + "s"
}

// roundIntervals are the widths that AutoInterval chooses from.
var roundIntervals = strings.Fields("1s 2s 5s 10s 15s 30s 1m 2m 5m 10m 15m 30m 1h 2h 3h 6h 12h 1d 2d 7d 14d 1mo 3mo 6mo 1y")

// manyDays is from where on an automatic interval is at least a day: the statistics of days are a twenty-fourth of those
// of hours, and half a year of days fills a chart.
const manyDays = 180 * day

// AutoInterval returns the narrowest round interval, not narrower than least, that divides [from, to) in the zone into at
// most the number of buckets given; the widest there is when none does.
func AutoInterval(from, to int64, zone *time.Location, most int, least Interval) Interval {
	if to-from > manyDays {
		least.Millis = max(least.Millis, day)
	}
	var interval Interval
	for _, text := range roundIntervals {
		interval, _ = ParseInterval(text)
		if interval.Millis >= least.Millis && NewBuckets(interval, zone).Count(from, to) <= int64(most) {
			break
		}
	}
	return interval
}

// Buckets divides time into half-open stretches. Fixed ones start at multiples of their width since the epoch. Calendar
// ones start at local midnights, so that days are 23 or 25 hours long where clocks change; days are counted since
// 1970-01-01, months since January 1970, so that a quarter or a year starts where everyone has it.
type Buckets struct {
	interval Interval
	zone     *time.Location // nil for fixed buckets

	// The calendar bucket found last: readings come in order of time, so it mostly is the next one's too.
	start, end int64
}

// NewBuckets returns the buckets of the interval. Days and longer follow the calendar of the zone, UTC if it is nil.
func NewBuckets(interval Interval, zone *time.Location) *Buckets {
	if zone == nil {
		zone = time.UTC
	}
	if interval.Months == 0 && (interval.Days == 0 || zone == time.UTC) {
		zone = nil
	}
	return &Buckets{interval: interval, zone: zone}
}

// Bounds returns the bucket [start, end) that holds ts, in Unix ms.
func (b *Buckets) Bounds(ts int64) (start, end int64) {
	if b.zone == nil {
		start = floorTo(ts, b.interval.Millis)
		return start, start + b.interval.Millis
	}
	if ts < b.start || ts >= b.end {
		n := b.index(ts)
		b.start, b.end = b.startOf(n), b.startOf(n+1)
	}
	return b.start, b.end
}

// Count returns how many buckets [from, to) touches.
func (b *Buckets) Count(from, to int64) int64 {
	if from >= to {
		return 0
	}
	return b.index(to-1) - b.index(from) + 1
}

// index returns the number of the bucket that holds ts, counted from the one at the epoch.
func (b *Buckets) index(ts int64) int64 {
	if b.zone == nil {
		return floorTo(ts, b.interval.Millis) / b.interval.Millis
	}
	y, m, d := time.UnixMilli(ts).In(b.zone).Date()
	var n int64
	if months := int64(b.interval.Months); months > 0 {
		n = floorTo(int64(y-1970)*12+int64(m-1), months) / months
	} else {
		days := int64(b.interval.Days)
		n = floorTo(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix()/(day/1000), days) / days
	}
	// Where clocks are put back over midnight, a date comes twice: it is the instant that counts.
	for ts < b.startOf(n) {
		n--
	}
	for ts >= b.startOf(n+1) {
		n++
	}
	return n
}

// startOf returns the start of the n-th calendar bucket.
func (b *Buckets) startOf(n int64) int64 {
	if b.interval.Months > 0 {
		return firstInstant(time.Date(1970, 1+time.Month(n*int64(b.interval.Months)), 1, 0, 0, 0, 0, time.UTC), b.zone)
	}
	return firstInstant(time.Date(1970, 1, 1+int(n)*b.interval.Days, 0, 0, 0, 0, time.UTC), b.zone)
}

// firstInstant returns the first instant, in Unix ms, at which the zone's clocks show the wall time given (in UTC) or a
// later one. Midnight may be skipped, come twice, or belong to a day that never was; time.Date leaves open what it then
// means.
func firstInstant(wall time.Time, zone *time.Location) int64 {
	const widest = 26 * time.Hour // beyond any zone's offset
	for at := wall.Add(-widest).In(zone); ; {
		_, offset := at.Zone()
		start, end := at.ZoneBounds()
		shows := wall.Add(-time.Duration(offset) * time.Second)
		switch {
		case !start.IsZero() && shows.Before(start):
			return start.UnixMilli()
		case end.IsZero() || shows.Before(end):
			return shows.UnixMilli()
		}
		at = end
	}
}

// unbroken reports whether no stretch of the width given, an hour or a day, that starts at one of its multiples within
// [from, to) is cut by the edge of a bucket.
func (b *Buckets) unbroken(from, to, width int64) bool {
	if b.interval.Millis < width {
		return false
	}
	if b.zone == nil {
		return b.interval.Millis%width == 0
	}
	for ts := from; ts < to; {
		start, end := b.Bounds(ts)
		if start%width != 0 || end%width != 0 {
			return false
		}
		ts = end
	}
	return true
}
