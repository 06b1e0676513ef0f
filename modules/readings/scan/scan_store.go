package scan

import (
	_ "embed" // of the statements
	"math"
	"time"

	"telltale/modules/readings/chunk"
	"telltale/modules/readings/deletion"
)

// The statements of a scan: points.sql reads every reading, statistics.sql leaves the data out where a chunk's statistics will do, and
// days.sql, for buckets of whole days, reads days in the place of their chunks. wanted has for each series, in the order of the
// answer:
//
//	id           of the series
//	month, hour  those of its first instant
//	since, until where statistics are enough
//
// A lateral join visits series in that order and each one's chunks by the primary key, in order of time: first the one that
// began before the hour and reaches into it, then the others. Chunks do not overlap, so only the last one that began before the
// hour may. Each branch has an ORDER BY, so that the planner keeps to the primary key. $6 and $7 bound every chunk, $8 those that
// begin before the hours, so that other partitions are left out before the statement runs. $9 is how many hours the longest chunk
// has that is not cut by the edge of a bucket. The days from since until the last closed one are read from their own table, and of
// the chunks there only those of months.
var (
	//go:embed points.sql
	selectPoints string
	//go:embed statistics.sql
	selectStatistics string
	//go:embed days.sql
	selectDays string
)

// Statement returns the statement that reads what the scan needs, and its arguments.
func (s *Scan) Statement() (query string, args []any) {
	n := len(s.Recent.Series)
	months, hours := make([]time.Time, n), make([]time.Time, n)
	since, until := make([]time.Time, n), make([]time.Time, n)
	s.known = s.Months.Load()
	least, last := s.To, int64(math.MinInt64)
	for i := range n {
		from := s.begin(i)
		month, hour := chunk.MonthSpan.Floor(from), chunk.HourSpan.Floor(from)
		months[i], hours[i] = chunk.UTC(month), chunk.UTC(hour)
		least, last = min(least, month), max(last, hour)
		if s.Whole != chunk.NoSpan {
			a, b := s.statisticsRange(i)
			since[i], until[i] = chunk.UTC(a), chunk.UTC(b)
		}
	}
	args = []any{s.Recent.Series, months, hours, since, until, chunk.UTC(least), chunk.UTC(s.To), chunk.UTC(min(last, s.To))}
	switch s.Whole {
	case chunk.MonthSpan:
		return selectDays, append(args, int16(31*24))
	case chunk.DaySpan:
		return selectDays, append(args, int16(24))
	case chunk.HourSpan:
		return selectStatistics, append(args, int16(1))
	default:
		return selectPoints, args
	}
}

// begin returns where the i-th series begins.
func (s *Scan) begin(i int) int64 {
	from := s.From
	if i == 0 {
		from = max(from, s.Resume)
	}
	if s.Floors != nil {
		from = max(from, s.Floors[i])
	}
	return from
}

// statisticsRange returns a stretch of the i-th series where statistics of whole spans are enough, because it is within what is
// asked for and the window has nothing there: the longest one, so that a late reading does not have a year of chunks
// opened. It may be empty.
func (s *Scan) statisticsRange(i int) (since, until int64) {
	width := int64(chunk.Hour)
	if s.Whole >= chunk.DaySpan {
		width = chunk.Day
	}
	from := s.begin(i)
	first := chunk.Floor(from+width-1, width)
	since, until = first, first
	for _, free := range deletion.Unmasked(s.Recent.Hidden(i, s.Recent.Folded), from, s.To) {
		if a, b := s.statisticsWithin(i, width, free[0], free[1]); b-a > until-since {
			since, until = a, b
		}
	}
	return since, until
}

// statisticsWithin returns the longest stretch of whole widths in [from, to) where the window has no reading of the i-th series.
func (s *Scan) statisticsWithin(i int, width, from, to int64) (since, until int64) {
	at, end := chunk.Floor(from+width-1, width), chunk.Floor(to, width)
	for _, ts := range s.Recent.Instants(i, from, to) {
		if free := min(chunk.Floor(ts, width), end); free-at > until-since {
			since, until = at, free
		}
		if at = max(at, chunk.Floor(ts, width)+width); end-at <= until-since {
			break
		}
	}
	if end-at > until-since {
		since, until = at, end
	}
	return since, until
}
