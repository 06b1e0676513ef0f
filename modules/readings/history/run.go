package history

import (
	"context"
	"errors"
	"fmt"
	"time"

	"telltale/modules/auth/access"
	"telltale/modules/readings/batchlog"
	"telltale/modules/readings/scan"
	"telltale/modules/readings/turns"
	"telltale/platform/fault"
)

// run is one query being answered.
type run struct {
	engine *Engine
	who    access.Principal
	query  Query
	out    answer
	turn   *turns.Turn
	pause  *scan.Pause
}

// reachAndAnswer answers as of a moment after its call. Mostly the window holds everything that the log does by then, which
// the query's own first round trip shows; otherwise the window first takes in what other instances have acknowledged.
func (r *run) reachAndAnswer(ctx context.Context) error {
	if r.query.After == nil { // a cursor may be of a series that this instance has not heard of
		if err := r.answer(ctx, false); !errors.Is(err, scan.ErrBehind) {
			return err
		}
	}
	for {
		if err := r.engine.tail.Reach(ctx); errors.Is(err, batchlog.ErrTorn) {
			return fault.Busy(time.Second, err, "history cannot be read until the log has been read again")
		} else if err != nil {
			return err
		}
		if err := r.answer(ctx, true); !errors.Is(err, scan.ErrBehind) {
			return err
		}
	}
}

// answer answers with what the window holds. The error is ErrBehind, before anything of the answer has been handed on, when the
// log has more, unless the window has just reached its head; and also when chunks have.
func (r *run) answer(ctx context.Context, reached bool) error {
	// What is small enough to be found out without much ado takes a permit like a small query.
	if err := r.engine.enter(ctx, r.turn, true); err != nil {
		return err
	}
	if err := r.engine.countMonths(ctx); err != nil {
		return err
	}
	// A batch that comes from here on may be the first of a series which is not among those selected.
	head, stamp := r.engine.window.NewestStamped()
	states, err := r.engine.selectSeries(ctx, r.who, r.query.Selection)
	if err != nil {
		return err
	}
	if states, err = r.query.After.from(states); err != nil {
		return err
	}
	if err := r.engine.enter(ctx, r.turn, r.query.small(len(states))); err != nil {
		return err
	}
	from := r.engine.capture(r.query, states)
	from.recent = from.recent.UpTo(head, stamp)
	return r.answerFrom(ctx, from, reached)
}

const selectMonths = `SELECT months FROM log_state`

// countMonths finds out how many partitions of chunks have been made, if nothing is known of that: without it the first scan
// would be planned twice.
func (e *Engine) countMonths(ctx context.Context) error {
	if e.months.Load() >= 0 {
		return nil
	}
	var months int64
	if err := e.db.QueryRow(ctx, selectMonths).Scan(&months); err != nil {
		return fmt.Errorf("counting the months of chunks: %w", err)
	}
	e.months.CompareAndSwap(-1, months)
	return nil
}

// answerFrom answers from the series given: it plans, scans and hands on.
func (r *run) answerFrom(ctx context.Context, from source, reached bool) error {
	first := r.engine.firstTrip(ctx, from, r.pause, reached)
	defer first.close()
	found, err := first.decide(from)
	if err != nil {
		return err
	}
	if found.large() && !first.chunks {
		if err := r.engine.enter(ctx, r.turn, false); err != nil {
			return err
		}
	}
	plan, err := r.engine.plan(&from, found)
	if err != nil {
		return err
	}
	if err := r.engine.refuseLargeBuckets(ctx, from, found); err != nil {
		return err
	}
	if err := r.out.Plan(from.query, plan); err != nil {
		return err
	}
	if len(from.series) == 0 {
		if err := r.out.Begin(from.recent.Stamp, plan.Version); err != nil {
			return err
		}
		return r.out.End(nil)
	}
	visit := newVisitor(output{
		ctx: ctx, query: from.query, plan: plan, series: from.series, out: r.out, left: from.query.Limit, most: r.engine.limits.BucketValues,
	})
	return first.visit(ctx, from, visit)
}
