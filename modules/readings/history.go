package readings

import (
	"context"
	"errors"
	"time"

	"telltale/modules/auth"
	"telltale/modules/devices"
	"telltale/platform/fault"
)

// answer is where history goes: a render.Writer, in the order header, then for each series its description and points.
type answer interface {
	// Plan is called before anything is read: with how the query, which it may have refined, is going to be answered. It is
	// called again when the query has to begin anew.
	Plan(q Query, plan Plan) error
	// Begin is called once, before anything else. seq is the place in the log that the answer is true as of. version is that
	// of the plan.
	Begin(seq int64, version string) error
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
		return fault.Busy(time.Second, errors.Join(ErrTooLong, err), "the query took longer than %s; ask for less at once, or for an interval", s.limits.QueryTimeout)
	}
	return err
}

// ErrTooLong is the cause of the fault when a query is ended by its time limit.
var ErrTooLong = errors.New("the query's time was over")

// reachAndAnswer answers as of a moment after its call. Mostly the window holds everything that the log does by then, which
// the query's own first round trip shows; otherwise the window first takes in what other instances have acknowledged.
func (s *Service) reachAndAnswer(ctx context.Context, who auth.Principal, q Query, out answer) error {
	if q.After == nil { // a cursor may be of a series that this instance has not heard of
		if err := s.answer(ctx, who, q, out, false); !errors.Is(err, errBehind) {
			return err
		}
	}
	for {
		if err := s.tail.Reach(ctx); errors.Is(err, errTorn) {
			return fault.Busy(time.Second, err, "history cannot be read until the log has been read anew")
		} else if err != nil {
			return err
		}
		if err := s.answer(ctx, who, q, out, true); !errors.Is(err, errBehind) {
			return err
		}
	}
}

// answer answers with what the window holds. The error is errBehind, before anything of the answer has been handed on, when the
// log has more, unless the window has just reached its head; and also when chunks have.
func (s *Service) answer(ctx context.Context, who auth.Principal, q Query, out answer, reached bool) error {
	// A batch that comes from here on may be the first of a series which is not among those selected.
	head := s.window.Head()
	series, err := s.selectSeries(ctx, who, q.Selection)
	if err != nil {
		return err
	}
	if series, err = q.After.from(series); err != nil {
		return err
	}
	return s.history(ctx, q, series, out, head, reached)
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

// history answers a query for the series given, which are those that there were at the window's head given.
func (s *Service) history(
	ctx context.Context, q Query, series []devices.SeriesState, out answer, head int64, reached bool,
) error {
	pass := s.newScan(q, series)
	pass.recent.head = min(pass.recent.head, head)
	first := s.open(ctx, q, &pass, reached)
	defer first.close()
	found, err := first.decide(q, pass.recent)
	if err != nil {
		return err
	}
	q, plan, err := s.plan(q, series, pass, found)
	if err != nil {
		return err
	}
	if err := s.refuseCrowds(ctx, q, series, found); err != nil {
		return err
	}
	if err := out.Plan(q, plan); err != nil {
		return err
	}
	if len(series) == 0 {
		if err := out.Begin(pass.recent.head, plan.Version); err != nil {
			return err
		}
		return out.End(nil)
	}
	pass.summarise(q)
	visit := newVisitor(page{query: q, plan: plan, series: series, out: out, left: q.Limit, most: s.bucketValues})
	return first.visit(ctx, &pass, visit, q.Limit > 0)
}

// newScan returns the pass over the series that a query takes. It captures the recent window.
func (s *Service) newScan(q Query, series []devices.SeriesState) scan {
	ids := make([]int32, len(series))
	floors := make([]int64, len(series))
	for i, state := range series {
		ids[i], floors[i] = state.ID, s.folder.floor(state.RetentionDays)
	}
	pass := scan{
		db: s.db, months: &s.months, known: s.months.Load(),
		recent: s.window.view(ids), from: q.From, to: q.To, resume: q.From, floors: floors,
	}
	if q.After != nil {
		pass.resume = max(q.From, q.After.Seek)
	}
	pass.summarise(q)
	return pass
}

// summarise has the pass leave chunks closed whose summaries are enough.
func (s *scan) summarise(q Query) {
	if q.Interval != nil && !q.sorts() {
		s.buckets = NewBuckets(*q.Interval, q.Zone)
	}
}
