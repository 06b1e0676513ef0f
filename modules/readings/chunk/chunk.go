// Package chunk defines what a chunk is: the readings of one series over a span (an hour, a day or a calendar month, in UTC), as
// one row with their statistics.
//
// It owns spans and slots, points in order of time, the binary form of a chunk's columns, and compensated sums. It sends no
// statement: package fold writes chunks, package scan reads them.
package chunk

import "time"

// Lengths of time in milliseconds.
const (
	Minute = 60_000
	Hour   = 60 * Minute
	Day    = 24 * Hour
)

// UTC returns the instant of Unix milliseconds, in UTC.
func UTC(ts int64) time.Time { return time.UnixMilli(ts).UTC() }

// Floor returns the largest multiple of step that is not above ts, also before the epoch.
func Floor(ts, step int64) int64 {
	rest := ts % step
	if rest < 0 {
		rest += step
	}
	return ts - rest
}

// Span is a length of time that a chunk may cover: an hour, a day or a calendar month, in UTC.
type Span int

// The spans, shortest first. NoSpan is none of them.
const (
	NoSpan Span = iota
	HourSpan
	DaySpan
	MonthSpan
)

// Region returns the start and end (Unix ms) of the span of this length that holds ts.
func (s Span) Region(ts int64) (start, end int64) {
	switch s {
	case MonthSpan:
		t := UTC(ts)
		first := time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
		return first.UnixMilli(), first.AddDate(0, 1, 0).UnixMilli()
	case DaySpan:
		start = Floor(ts, Day)
		return start, start + Day
	default:
		start = Floor(ts, Hour)
		return start, start + Hour
	}
}

// Floor returns the start of the region that holds ts.
func (s Span) Floor(ts int64) int64 {
	start, _ := s.Region(ts)
	return start
}

// Slot is one series' region of time: what one chunk may cover, or several smaller ones.
type Slot struct {
	Series     int32
	Span       Span
	Start, End int64
}

// Slot returns the slot of a series that holds ts.
func (s Span) Slot(series int32, ts int64) Slot {
	start, end := s.Region(ts)
	return Slot{Series: series, Span: s, Start: start, End: end}
}

// Hours is how long the slot is.
func (s Slot) Hours() int16 { return int16((s.End - s.Start) / Hour) }

// Part returns the slot of the next smaller span that holds ts.
func (s Slot) Part(ts int64) Slot { return (s.Span - 1).Slot(s.Series, ts) }

// SpanOf returns the span of a chunk that covers that many hours.
func SpanOf(hours int16) Span {
	switch {
	case hours <= 1:
		return HourSpan
	case hours <= 24:
		return DaySpan
	default:
		return MonthSpan
	}
}
