package readings

import (
	"context"
	"errors"
	"slices"
	"time"

	"telltale/modules/auth"
	"telltale/modules/devices"
	"telltale/platform/fault"
)

// answer is where history goes: a render.Writer, in the order header, then for each series its description and points.
type answer interface {
	// Begin is called once, before anything else. seq is the place in the log that the answer is true as of.
	Begin(seq int64) error
	// Series begins the next series.
	Series(s devices.Series) error
	// Points adds raw readings to the series begun last; they are only valid during the call.
	Points(ts []int64, value []float64) error
	// Bucket adds the aggregates of one bucket, in the order of the query; they are only valid during the call.
	Bucket(ts int64, aggregates []float64) error
	// End is called once, after everything else. next is where a limited answer continues, nil when it is complete.
	End(next *Cursor) error
}

// History answers a query, as far as the principal may see, into out. Memory does not grow with the answer: chunks are
// read, merged with the recent window and handed on one after the other. An error of out ends the query in the database
// too.
func (s *Service) History(ctx context.Context, who auth.Principal, q Query, out answer) error {
	select {
	case <-s.tail.Loaded():
	default:
		return fault.Busy(time.Second, s.tail.Err(), "history cannot be read until the log has been read")
	}
	leave, err := s.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	bounded, cancel := context.WithTimeout(ctx, s.limits.QueryTimeout)
	defer cancel()
	err = s.reachAndAnswer(bounded, who, q, out)
	if err != nil && ctx.Err() == nil && errors.Is(bounded.Err(), context.DeadlineExceeded) && fault.As(err) == nil {
		return fault.Busy(time.Second, err, "the query took longer than %s; ask for less at once, or for an interval", s.limits.QueryTimeout)
	}
	return err
}

// reachAndAnswer answers as of a moment after its call: first the window takes in what other instances have acknowledged.
func (s *Service) reachAndAnswer(ctx context.Context, who auth.Principal, q Query, out answer) error {
	if err := s.tail.Reach(ctx); err != nil {
		return err
	}
	series, err := s.selectSeries(who, q)
	if err != nil {
		return err
	}
	return s.history(ctx, q, series, out)
}

// enter waits for a place among the running queries, not for long. The place is held until leave is called.
func (s *Service) enter(ctx context.Context) (leave func(), err error) {
	timer := time.NewTimer(queryPatience)
	defer timer.Stop()
	select {
	case s.queries <- struct{}{}:
		return func() { <-s.queries }, nil
	case <-timer.C:
		return nil, errTooManyQueries(cap(s.queries))
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// queryPatience is how long a query waits for others to end.
const queryPatience = 10 * time.Second

// selectSeries returns the series that a query speaks of and the principal may see, in the order of the answer, from the
// query's cursor on.
func (s *Service) selectSeries(who auth.Principal, q Query) ([]devices.SeriesState, error) {
	states := s.registry.Select(visible(s.registry, who, q.Devices), q.Metrics)
	if q.After == nil {
		return states, nil
	}
	at := slices.IndexFunc(states, func(state devices.SeriesState) bool {
		return state.Device == q.After.Device && state.Metric == q.After.Metric
	})
	if at < 0 {
		return nil, fault.InvalidField("cursor", "does not belong to this query, or its series has been deleted")
	}
	return states[at:], nil
}

// visible returns those of the devices wanted that the principal may see; of all devices if none is named.
func visible(registry *devices.Registry, who auth.Principal, wanted []string) []string {
	if len(wanted) == 0 {
		return registry.Devices(who.Sees)
	}
	if who.SeesAll() {
		return wanted
	}
	return slices.DeleteFunc(slices.Clone(wanted), func(id string) bool { return !who.Sees(id) })
}

func (s *Service) history(ctx context.Context, q Query, series []devices.SeriesState, out answer) error {
	ids := make([]int32, len(series))
	for i, state := range series {
		ids[i] = state.ID
	}
	pass := scan{db: s.db, recent: s.window.view(ids), from: q.From, to: q.To, resume: q.From}
	if q.After != nil {
		pass.resume = max(q.From, q.After.TS+1)
	}
	page := page{query: q, series: series, out: out, left: q.Limit}
	var visit visitor = &rawVisitor{page: page}
	if q.Interval != nil {
		pass.buckets = NewBuckets(*q.Interval, q.Zone)
		visit = &bucketVisitor{page: page, buckets: pass.buckets, values: make([]float64, len(q.Aggregates))}
	}
	if len(ids) == 0 {
		if err := out.Begin(pass.recent.head); err != nil {
			return err
		}
		return out.End(nil)
	}
	return pass.run(ctx, visit)
}
