package history

import (
	"telltale/modules/readings/bucket"
	"telltale/modules/series"
	"telltale/platform/fault"
)

// Plan is how a query is going to be answered.
type Plan struct {
	// Series are those of the answer, in its order.
	Series []series.State
	// Method says how series were given no more than MaxPoints points; "" when that was not asked for.
	Method Method
	// Version stands for everything that the answer depends on, readings included: while two plans have the same, so have
	// their answers, but for their seq. "" when the query did not ask for one.
	Version string
}

// plan decides how a query is answered, and refines it accordingly. It refuses what would take too much.
func (e *Engine) plan(from *source, found survey) (Plan, error) {
	q, series := &from.query, from.series
	plan := Plan{Series: series}
	if len(series) == 0 {
		if q.MaxPoints > 0 && q.Interval == nil {
			plan.Method = Raw
		}
		if q.Versioned {
			plan.Version = versionOf(*from, survey{})
		}
		return plan, nil
	}
	if q.MaxPoints > 0 && q.Interval == nil {
		plan.Method = chooseMethod(*q, found.total, found.most)
		switch {
		case plan.Method == LTTB && found.most > maxLTTB:
			return plan, fault.InvalidField("downsample",
				"lttb can pick from %d readings of a series, and one has about %d; ask for minmax, or for a shorter range", maxLTTB, found.most)
		case plan.Method == MinMax:
			interval := bucket.AutoInterval(q.From, q.To, q.Zone, q.MaxPoints, bucket.Interval{})
			q.Interval, q.Aggregates = &interval, minMax
		}
	}
	if err := e.refuse(*q, len(series), plan.Method, found); err != nil {
		return plan, err
	}
	if q.Versioned {
		plan.Version = versionOf(*from, found)
	}
	return plan, nil
}

// mustCount reports whether the readings that a query concerns have to be counted before it can be answered.
func (e *Engine) mustCount(q Query, series int) bool {
	switch {
	case q.sorts():
		return true
	case q.Interval != nil:
		return q.Limit == 0 && q.Fill == NoFill && bucketsOf(q, series) > int64(e.limits.MaxPoints)
	case q.MaxPoints > 0:
		return true
	}
	return q.Limit == 0 && !q.opensFew(series)
}

// bucketsOf returns how many buckets an answer has at most.
func bucketsOf(q Query, series int) int64 {
	return bucket.NewGrid(*q.Interval, q.Zone).Count(q.From, q.To) * int64(series)
}

// refuse returns an Invalid fault when the answer would have more points than QueryMaxPoints. Pages of a limited answer
// are never refused.
func (e *Engine) refuse(q Query, series int, method Method, found survey) error {
	if q.Limit > 0 {
		return nil
	}
	points := found.total
	switch {
	case q.Interval != nil:
		if points = bucketsOf(q, series); q.Fill == NoFill && found.known {
			points = min(points, found.total)
		}
	case method == LTTB:
		points = int64(series) * int64(q.MaxPoints)
	}
	most := int64(e.limits.MaxPoints)
	if points <= most {
		return nil
	}
	var least bucket.Interval
	if q.Interval != nil {
		least = *q.Interval
	}
	wider := bucket.AutoInterval(q.From, q.To, q.Zone, int(most)/series, least)
	return fault.InvalidField("interval",
		"the answer would have about %d points, and more than %d are not given at once; ask for interval=%s or wider, or for a shorter range, or page through it by limit and cursor",
		points, most, wider)
}
