package readings

import "time"

// span is a length of time that a chunk may cover: an hour, a day or a calendar month, in UTC.
type span int

const (
	hourSpan span = iota
	daySpan
	monthSpan
)

// region returns the start and end (Unix ms) of the span of this length that holds ts.
func (s span) region(ts int64) (start, end int64) {
	switch s {
	case monthSpan:
		t := millis(ts)
		first := time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
		return first.UnixMilli(), first.AddDate(0, 1, 0).UnixMilli()
	case daySpan:
		start = floorTo(ts, day)
		return start, start + day
	default:
		start = chunkStart(ts)
		return start, start + ChunkSpan
	}
}

// floor returns the start of the region that holds ts.
func (s span) floor(ts int64) int64 {
	start, _ := s.region(ts)
	return start
}

// unit is one series' region of time: what one chunk may cover, or several smaller ones.
type unit struct {
	series     int32
	span       span
	start, end int64
}

func (s span) unit(series int32, ts int64) unit {
	start, end := s.region(ts)
	return unit{series: series, span: s, start: start, end: end}
}

// hours is how long the unit is.
func (u unit) hours() int16 { return int16((u.end - u.start) / hour) }

// part returns the unit of the next smaller span that holds ts.
func (u unit) part(ts int64) unit { return (u.span - 1).unit(u.series, ts) }

// spanOf returns the span of a chunk that covers so many hours.
func spanOf(hours int16) span {
	switch {
	case hours <= 1:
		return hourSpan
	case hours <= 24:
		return daySpan
	default:
		return monthSpan
	}
}
