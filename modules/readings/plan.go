package readings

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"

	"telltale/modules/devices"
	"telltale/platform/fault"
)

// Plan is how a query is going to be answered.
type Plan struct {
	// Series are those of the answer, in its order.
	Series []devices.SeriesState
	// Method says how series were given no more than MaxPoints points; "" when that was not asked for.
	Method Method
	// Version stands for everything that the answer depends on, readings included: while two plans have the same, so have
	// their answers, but for their seq. "" when the query did not ask for one.
	Version string
}

// plan decides how a query is answered, and refines it accordingly. It refuses what would take too much.
func (s *Service) plan(q Query, series []devices.SeriesState, pass scan, found survey) (Query, Plan, error) {
	plan := Plan{Series: series}
	if len(series) == 0 {
		if q.MaxPoints > 0 && q.Interval == nil {
			plan.Method = Raw
		}
		if q.Versioned {
			plan.Version = versionOf(q, pass, nil, survey{})
		}
		return q, plan, nil
	}
	if q.MaxPoints > 0 && q.Interval == nil {
		plan.Method = chooseMethod(q, found.total, found.most)
		switch {
		case plan.Method == LTTB && found.most > maxLTTB:
			return q, plan, fault.InvalidField("downsample",
				"lttb can pick from %d readings of a series, and one has about %d; ask for minmax, or for a shorter range", maxLTTB, found.most)
		case plan.Method == MinMax:
			interval := AutoInterval(q.From, q.To, q.Zone, q.MaxPoints, Interval{})
			q.Interval, q.Aggregates = &interval, minMax
		}
	}
	if err := s.refuse(q, len(series), plan.Method, found); err != nil {
		return q, plan, err
	}
	if q.Versioned {
		plan.Version = versionOf(q, pass, series, found)
	}
	return q, plan, nil
}

// mustCount reports whether the readings that a query concerns have to be counted before it can be answered.
func (s *Service) mustCount(q Query, series int) bool {
	switch {
	case q.sorts():
		return true
	case q.Interval != nil:
		return q.Limit == 0 && q.Fill == NoFill && s.bucketsOf(q, series) > int64(s.limits.QueryMaxPoints)
	case q.MaxPoints > 0:
		return true
	}
	return q.Limit == 0 && !q.opensFew(series)
}

// bucketsOf returns how many buckets an answer has at most.
func (s *Service) bucketsOf(q Query, series int) int64 {
	return NewBuckets(*q.Interval, q.Zone).Count(q.From, q.To) * int64(series)
}

// refuse returns an Invalid fault when the answer would have more points than QueryMaxPoints. Pages of a limited answer
// are never refused.
func (s *Service) refuse(q Query, series int, method Method, found survey) error {
	if q.Limit > 0 {
		return nil
	}
	points := found.total
	switch {
	case q.Interval != nil:
		if points = s.bucketsOf(q, series); q.Fill == NoFill && found.known {
			points = min(points, found.total)
		}
	case method == LTTB:
		points = int64(series) * int64(q.MaxPoints)
	}
	most := int64(s.limits.QueryMaxPoints)
	if points <= most {
		return nil
	}
	var least Interval
	if q.Interval != nil {
		least = *q.Interval
	}
	wider := AutoInterval(q.From, q.To, q.Zone, int(most)/series, least)
	return fault.InvalidField("interval",
		"the answer would have about %d points, and more than %d are not given at once; ask for interval=%s or wider, or for a shorter range, or page through it by limit and cursor",
		points, most, wider)
}

// versionOf makes a text of everything that an answer depends on.
func versionOf(q Query, pass scan, series []devices.SeriesState, found survey) string {
	text := fmt.Appendf(nil, "%d %d %v %v %v %s %d %s %d %v\n",
		q.From, q.To, q.Interval, q.Aggregates, q.Zone, q.Fill, q.MaxPoints, q.Downsample, q.Limit, q.After)
	text = fmt.Appendf(text, "%s %d %d\n", found.mark, found.touched, found.touchedAt)
	for i, s := range series {
		// What is kept of a series begins later by the moment, which matters only where the range is cut by it.
		begin := min(max(q.From, pass.begin(i)), q.To)
		text = fmt.Appendf(text, "%d %q %q %q %d\n", s.ID, s.Device, s.Metric, s.Unit, begin)
	}
	sum := sha256.Sum256(text)
	return base64.RawURLEncoding.EncodeToString(sum[:18])
}
