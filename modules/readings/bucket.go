package readings

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Interval is the width of a bucket: either a fixed number of milliseconds, or a number of calendar days.
type Interval struct {
	Millis int64
	Days   int
}

const (
	minute = 60_000
	hour   = 60 * minute
	day    = 24 * hour
)

// intervalUnits are the units of an interval in milliseconds.
var intervalUnits = map[byte]int64{'s': 1000, 'm': minute, 'h': hour, 'd': day, 'w': 7 * day}

var errInterval = errors.New(`must be a whole number and a unit, from "1s" to "366d": s, m, h, d or w`)

// ParseInterval reads an interval such as "10s", "15m", "1h", "1d" or "1w".
func ParseInterval(text string) (Interval, error) {
	if text == "" {
		return Interval{}, errInterval
	}
	unit := intervalUnits[text[len(text)-1]]
	count, err := strconv.ParseUint(text[:len(text)-1], 10, 32)
	if err != nil || unit == 0 || count == 0 || int64(count)*unit > 366*day {
		return Interval{}, errInterval
	}
	width := int64(count) * unit
	if width%day == 0 {
		return Interval{Millis: width, Days: int(width / day)}, nil
	}
	return Interval{Millis: width}, nil
}

// String returns the interval as ParseInterval reads it.
func (i Interval) String() string {
	for _, unit := range []string{"d", "h", "m"} {
		if width := intervalUnits[unit[0]]; i.Millis%width == 0 {
			return strconv.FormatInt(i.Millis/width, 10) + unit
		}
	}
	return strconv.FormatInt(i.Millis/1000, 10) + "s"
}

// roundIntervals are the widths that AutoInterval chooses from.
var roundIntervals = strings.Fields("1s 2s 5s 10s 15s 30s 1m 2m 5m 10m 15m 30m 1h 2h 3h 6h 12h 1d 2d 7d 14d 28d 91d 366d")

// AutoInterval returns the narrowest round interval that divides the span into at most the number of buckets given.
func AutoInterval(span int64, buckets int) Interval {
	var interval Interval
	for _, text := range roundIntervals {
		interval, _ = ParseInterval(text)
		if span/interval.Millis < int64(buckets) {
			break
		}
	}
	return interval
}

// Buckets divides time into half-open stretches. Fixed ones start at multiples of their width since the epoch, calendar
// ones at local midnights, so that they are 23 or 25 hours long where clocks change.
type Buckets struct {
	interval Interval
	zone     *time.Location // nil for fixed buckets

	// The calendar bucket found last: readings come in order of time, so it mostly is the next one's too.
	start, end int64
}

// NewBuckets returns the buckets of the interval. Days and weeks follow the calendar of the zone.
func NewBuckets(interval Interval, zone *time.Location) *Buckets {
	if interval.Days == 0 || zone == time.UTC {
		zone = nil
	}
	return &Buckets{interval: interval, zone: zone}
}

// bounds returns the bucket that holds ts.
func (b *Buckets) bounds(ts int64) (start, end int64) {
	if b.zone == nil {
		start = floorTo(ts, b.interval.Millis)
		return start, start + b.interval.Millis
	}
	if ts >= b.start && ts < b.end {
		return b.start, b.end
	}
	y, m, d := time.UnixMilli(ts).In(b.zone).Date()
	// Days are counted by the calendar since the epoch, so that a bucket of several days starts where it would in UTC.
	count := time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / (day / 1000)
	first := int(floorTo(count, int64(b.interval.Days)))
	b.start = time.Date(1970, 1, 1+first, 0, 0, 0, 0, b.zone).UnixMilli()
	b.end = time.Date(1970, 1, 1+first+b.interval.Days, 0, 0, 0, 0, b.zone).UnixMilli()
	return b.start, b.end
}

// unbroken reports whether no chunk in [from, to) is cut by the edge of a bucket.
func (b *Buckets) unbroken(from, to int64) bool {
	if b.interval.Millis < ChunkSpan {
		return false
	}
	if b.zone == nil {
		return b.interval.Millis%ChunkSpan == 0
	}
	for ts := from; ts < to; {
		start, end := b.bounds(ts)
		if start%ChunkSpan != 0 || end%ChunkSpan != 0 {
			return false
		}
		ts = end
	}
	return true
}

// Aggregate is a way to make one value of a bucket's values.
type Aggregate string

// The aggregates. First and Last are the values at the bucket's earliest and latest instant.
const (
	Avg   Aggregate = "avg"
	Min   Aggregate = "min"
	Max   Aggregate = "max"
	Sum   Aggregate = "sum"
	Count Aggregate = "count"
	First Aggregate = "first"
	Last  Aggregate = "last"
)

// Aggregates lists every aggregate.
var Aggregates = []Aggregate{Avg, Min, Max, Sum, Count, First, Last}

// ParseAggregate reads the name of an aggregate.
func ParseAggregate(text string) (Aggregate, error) {
	if !slices.Contains(Aggregates, Aggregate(text)) {
		return "", fmt.Errorf("must be one of %v, not %q", Aggregates, text)
	}
	return Aggregate(text), nil
}

// Of returns the aggregate of the values summarised, of which there is at least one.
func (a Aggregate) Of(s Summary) float64 {
	switch a {
	case Avg:
		return s.Sum / float64(s.Count)
	case Min:
		return s.Min
	case Max:
		return s.Max
	case Sum:
		return s.Sum
	case Count:
		return float64(s.Count)
	case First:
		return s.First
	default:
		return s.Last
	}
}
