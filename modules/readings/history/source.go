package history

import (
	"telltale/modules/readings/batchlog"
	"telltale/modules/readings/bucket"
	"telltale/modules/readings/chunk"
	"telltale/modules/readings/scan"
	"telltale/modules/series"
)

// source is what a query is answered from: the series that it is about, and what the window has of them.
type source struct {
	query  Query
	series []series.State
	floors []int64 // where what is kept of each series begins
	recent batchlog.View
}

// capture returns the source of a query about the series given, with the window as it is now.
func (e *Engine) capture(q Query, states []series.State) source {
	ids, floors := make([]int32, len(states)), make([]int64, len(states))
	for i, state := range states {
		ids[i], floors[i] = state.ID, e.retention.Floor(state.RetentionDays)
	}
	return source{query: q, series: states, floors: floors, recent: e.window.View(ids)}
}

// scan returns the pass over the series that answers the query, which must be planned.
func (e *Engine) scan(from source, pause *scan.Pause) *scan.Scan {
	q := from.query
	pass := &scan.Scan{
		DB: e.db, Months: &e.months, Recent: from.recent, From: q.From, To: q.To, Resume: q.From, Floors: from.floors,
		Whole: q.wholeSpan(), Pause: pause,
	}
	if q.After != nil {
		pass.Resume = max(q.From, q.After.Seek)
	}
	return pass
}

// wholeSpan returns the longest span of which a chunk's statistics are enough, because no edge of a bucket cuts it; NoSpan when the
// query needs every reading.
func (q Query) wholeSpan() chunk.Span {
	if q.Interval == nil || q.sorts() {
		return chunk.NoSpan
	}
	buckets := bucket.NewGrid(*q.Interval, q.Zone)
	switch {
	case buckets.Unbroken(q.From, q.To, chunk.Day):
		if q.Interval.Months > 0 { // from one midnight in UTC to another, at which a month begins there
			return chunk.MonthSpan
		}
		return chunk.DaySpan
	case buckets.Unbroken(q.From, q.To, chunk.Hour):
		return chunk.HourSpan
	default:
		return chunk.NoSpan
	}
}
