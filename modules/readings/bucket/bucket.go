// Package bucket divides time into buckets and computes the aggregates of a bucket's readings.
//
// It owns intervals, the grid of buckets that an interval makes in a time zone, and the aggregates. It reads no readings: packages
// history and streaming do, each for its own answers.
package bucket

import (
	"time"

	"telltale/modules/readings/chunk"
)

// Grid divides time into half-open stretches. Fixed ones start at multiples of their width since the epoch. Calendar
// ones start at local midnights, so that days are 23 or 25 hours long where clocks change; days are counted since
// 1970-01-01, weeks since the Monday before it, months since January 1970, so that a quarter or a year starts where everyone
// has it.
type Grid struct {
	interval Interval
	zone     *time.Location // nil for fixed buckets
	origin   int64          // Unix ms, where a fixed bucket starts; of calendar ones, as UTC has it

	// The calendar bucket found last: readings come in order of time, so it mostly is the next one's too.
	start, end int64
}

// monday is the start of the week that holds the epoch, a Thursday.
const monday = -3 * chunk.Day

// NewGrid returns the buckets of the interval. Days and longer follow the calendar of the zone, UTC if it is nil.
func NewGrid(interval Interval, zone *time.Location) *Grid {
	if zone == nil {
		zone = time.UTC
	}
	if interval.Months == 0 && (interval.Days == 0 || zone == time.UTC) {
		zone = nil
	}
	b := &Grid{interval: interval, zone: zone}
	if interval.Weeks > 0 {
		b.origin = monday
	}
	return b
}

// Bounds returns the bucket [start, end) that holds ts, in Unix ms. End is after ts, so that a loop from end to end comes to
// an end.
func (b *Grid) Bounds(ts int64) (start, end int64) {
	if b.zone == nil {
		start = chunk.Floor(ts-b.origin, b.interval.Millis) + b.origin
		return start, start + b.interval.Millis
	}
	if ts < b.start || ts >= b.end {
		_, b.start, b.end = b.find(ts)
	}
	return b.start, b.end
}

// Count returns how many buckets [from, to) touches.
func (b *Grid) Count(from, to int64) int64 {
	if from >= to {
		return 0
	}
	return b.index(to-1) - b.index(from) + 1
}

// index returns the number of the bucket that holds ts, counted from the one at the epoch.
func (b *Grid) index(ts int64) int64 {
	if b.zone == nil {
		return chunk.Floor(ts-b.origin, b.interval.Millis) / b.interval.Millis
	}
	n, _, _ := b.find(ts)
	return n
}

// find returns the number of the calendar bucket that holds ts, and its bounds.
func (b *Grid) find(ts int64) (n, start, end int64) {
	y, m, d := time.UnixMilli(ts).In(b.zone).Date()
	if months := int64(b.interval.Months); months > 0 {
		n = chunk.Floor(int64(y-1970)*12+int64(m-1), months) / months
	} else {
		midnight := time.Date(y, m, d, 0, 0, 0, 0, time.UTC).UnixMilli()
		n = chunk.Floor(midnight-b.origin, b.interval.Millis) / b.interval.Millis
	}
	start, end = b.startOf(n), b.startOf(n+1)
	// Where clocks are put back over midnight, a date comes twice: it is the instant that counts.
	for ts < start {
		n--
		start, end = b.startOf(n), start
	}
	for ts >= end {
		n++
		start, end = end, b.startOf(n+1)
	}
	return n, start, end
}

// startOf returns the start of the n-th calendar bucket.
func (b *Grid) startOf(n int64) int64 {
	if months := int(n) * b.interval.Months; b.interval.Months > 0 {
		return firstInstant(time.Date(1970, 1+time.Month(months), 1, 0, 0, 0, 0, time.UTC), b.zone)
	}
	return firstInstant(time.UnixMilli(b.origin+n*b.interval.Millis), b.zone)
}

// firstInstant returns the first instant, in Unix ms, at which the zone's clocks show the wall time given (in UTC) or a
// later one. Midnight may be skipped, come twice, or belong to a day that never was; time.Date leaves open what it then
// means.
func firstInstant(wall time.Time, zone *time.Location) int64 {
	const widest = 26 * time.Hour // beyond any zone's offset
	for at := wall.Add(-widest).In(zone); ; {
		_, offset := at.Zone()
		shows, end := wall.Add(-time.Duration(offset)*time.Second), sameOffsetUntil(at)
		switch {
		case shows.Before(at): // the clocks skip it
			return at.UnixMilli()
		case end.IsZero() || shows.Before(end):
			return shows.UnixMilli()
		}
		at = end
	}
}

// sameOffsetUntil returns an instant after at before which the offset of at's zone does not change; zero for never.
//
// Where a zone goes by a rule for all years to come, in most after 2037, ZoneBounds takes every year for 365 days long (tzset
// in time/zoneinfo.go, up to Go 1.26 at least): in the last day of a leap year it returns an end that is not after at. The
// rules change no clock in that day.
func sameOffsetUntil(at time.Time) time.Time {
	_, end := at.ZoneBounds()
	if end.IsZero() || end.After(at) {
		return end
	}
	const whole = 24 * time.Hour
	return at.UTC().Truncate(whole).Add(whole).In(at.Location())
}

// Unbroken reports whether no stretch of the width given, an hour or a day, that starts at one of its multiples within
// [from, to) is cut by the edge of a bucket.
func (b *Grid) Unbroken(from, to, width int64) bool {
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
