// Package history answers queries about past readings.
//
// It owns the query and its parameters, the choice of series, the plan of an answer and its version, and what turns readings into
// points: pages, buckets with aggregates, filled gaps, fewer points for a chart. It reads through package scan and changes nothing.
// Its caller chooses the format of an answer.
package history

import (
	"context"
	"errors"
	"time"

	"telltale/modules/auth/access"
	"telltale/modules/readings/scan"
	"telltale/modules/series"
	"telltale/platform/fault"
	"telltale/platform/httpserver"
	"telltale/platform/postgres"
)

// answer is where history goes: a render.Writer, in the order header, then for each series its description and points.
type answer interface {
	// Plan is called before anything is read: with how the query, which it may have refined, is going to be answered. It is
	// called again when the query has to start again.
	Plan(q Query, plan Plan) error
	// Begin is called once, before anything else. stamp is that of the newest batch that the answer takes into account. version is that
	// of the plan.
	Begin(stamp int64, version string) error
	// Series begins the next series.
	Series(s series.Series) error
	// Points adds raw readings to the series begun last; they are only valid during the call.
	Points(ts []int64, value []float64) error
	// Bucket adds the aggregates of one bucket, in the order of the query; they are only valid during the call.
	Bucket(ts int64, aggregates []float64) error
	// End is called once, after everything else. next is where a limited answer continues, nil when it is complete.
	End(next *Cursor) error
}

// waiter is an answer that can tell when its client does not read.
type waiter interface{ OnWait(waits httpserver.Waits) }

// History answers a query, as far as the principal may see, into out. Memory does not grow with the answer: chunks are
// read, merged with the recent window and handed on one after the other. An error of out ends the query in the database
// too.
func (e *Engine) History(ctx context.Context, who access.Principal, q Query, out answer) error {
	select {
	case <-e.tail.Loaded():
	default:
		return fault.Busy(time.Second, e.tail.Err(), "history cannot be read until the log has been read")
	}
	if err := e.tail.Err(); err != nil {
		return fault.Busy(time.Second, err, "history cannot be read until the log can be followed")
	}
	bounded, cancel := context.WithTimeout(ctx, e.limits.Timeout)
	defer cancel()
	bounded = postgres.WithLimit(bounded, e.limits.Timeout)
	turn := e.limits.Gate.Turn(userOf(who))
	defer turn.Leave()
	r := run{engine: e, who: who, query: q, out: out, turn: turn, pause: scan.NewPause(bounded, turn, e.limits.Kept)}
	if w, ok := out.(waiter); ok {
		w.OnWait(r.pause)
	}
	return e.tooLong(ctx, bounded, r.reachAndAnswer(bounded))
}

// tooLong returns the error of what ran with the bounded context made of ctx: an Unavailable fault if that has ended it.
func (e *Engine) tooLong(ctx, bounded context.Context, err error) error {
	if err != nil && ctx.Err() == nil && errors.Is(bounded.Err(), context.DeadlineExceeded) && fault.As(err) == nil {
		return fault.Busy(time.Second, errors.Join(ErrTooLong, err), "the query took longer than %s; ask for less at once, or for an interval", e.limits.Timeout)
	}
	return err
}

// ErrTooLong is the cause of the fault when a query is ended by its time limit.
var ErrTooLong = errors.New("the query's time was over")
