// Package livebucket makes what viewers of live buckets get: each closed bucket once, and again when late readings or a deletion
// have changed it.
//
// A viewer of buckets is a cursor like any other: a position in the log up to which it has seen readings, and a time
// (Position.Until) up to which it has been sent buckets. It gets exactly what history answers. When a bucket is over, the package
// asks history for it; when readings arrive for a bucket already sent, it asks for that bucket again. Viewers that ask the same
// share a flush.
//
// The package decides what is sent, in which order and with which ids. It does not decide when, and it writes to no client.
package livebucket

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"telltale/modules/readings/bucket"
	"telltale/modules/readings/history"

	"telltale/modules/auth/access"
	"telltale/modules/readings/batchlog"
	"telltale/modules/series"
	"telltale/modules/streaming/backlog"
	"telltale/modules/streaming/budget"
	"telltale/modules/streaming/filter"
	"telltale/modules/streaming/request"
)

// maxStretches is the most queries for buckets that late readings have changed.
const maxStretches = 16

// Limits bounds the work for viewers of buckets, and holds the clocks in use.
type Limits struct {
	// Grace is how long after its end a bucket is queried, so that readings under way at that time are in it. Later readings
	// still make the bucket be sent again.
	Grace time.Duration
	// Patience is how long a viewer waits for a permit before it does other work that is due, such as a heartbeat.
	Patience time.Duration
	// AtOnce is how many flushes are made at once, for all viewers together. It leaves connections and processor time to the rest
	// of the program.
	AtOnce int
	// Late is the most buckets with late readings that are queried again one by one. Beyond that, a gap covers them.
	Late int
	// Look is about how many readings of the log one flush reads. A viewer with more to read does so in several flushes, and
	// holds its permit no longer than one takes.
	Look int
	// Rows bounds the buckets of one flush. A viewer that needs more gets them in several flushes, provided that one bucket of
	// each series fits.
	Rows int
	// Behind is the most buckets of time that a viewer may be behind. Beyond that, a gap covers them.
	Behind int
	// Bytes bounds the flushes that are kept for viewers that ask the same.
	Bytes int
	// Now is the clock by which buckets close, Stopwatch the clock that measures the cost of a flush.
	Now, Stopwatch func() time.Time
}

// Defaults returns the limits of a program that serves.
func Defaults() Limits {
	return Limits{
		Grace: time.Second, Patience: 5 * time.Second, AtOnce: 2, Late: 10_000, Look: 1_000_000, Rows: 50_000, Behind: 100_000,
		Bytes: 16 << 20, Now: time.Now, Stopwatch: time.Now,
	}
}

// History answers a query about history into rows.
type History func(ctx context.Context, who access.Principal, q history.Query, rows *Rows) error

// window is the recent window.
type window interface {
	Head() int64
	Next(stamp int64) (batches []*batchlog.Batch, changed <-chan struct{}, ok bool)
}

// names knows the device and the metric of a series.
type names interface {
	ByID(id int32) (series.Series, bool)
}

// Sources is where flushes get their data.
type Sources struct {
	History History
	Window  window
	Backlog *backlog.Backlog
	Names   names
	// Budget limits the text of flushes in use.
	Budget *budget.Bytes
}

// Maker makes flushes. It is safe for concurrent use.
type Maker struct {
	from    Sources
	limits  Limits
	memos   *budget.Cache[memoKey, *memo]
	permits chan struct{} // has room for those that make a flush
}

// NewMaker returns a maker that has no flushes yet.
func NewMaker(from Sources, limits Limits) *Maker {
	return &Maker{
		from: from, limits: limits, memos: budget.NewCache[memoKey, *memo](limits.Bytes), permits: make(chan struct{}, limits.AtOnce),
	}
}

// Closed returns the time up to which buckets are closed, Unix ms.
func (m *Maker) Closed(q *Question) int64 {
	start, _ := q.Bounds(m.limits.Now().Add(-m.limits.Grace).UnixMilli())
	return start
}

// Wait returns the time until the bucket that begins at start (Unix ms) is to be queried.
func (m *Maker) Wait(q *Question, start int64) time.Duration {
	_, end := q.Bounds(start)
	return time.UnixMilli(end).Add(m.limits.Grace).Sub(m.limits.Now())
}

// questionKey identifies everything but time that the answer to a question depends on: what is asked for, and what the viewer may
// see.
type questionKey [sha256.Size]byte

// Question is what one viewer of buckets asks. One goroutine at a time uses it.
type Question struct {
	request *request.Request
	filter  *filter.Filter
	query   history.Query // without its range
	buckets *bucket.Grid
	key     questionKey
	nothing bool // nothing was asked for
}

// NewQuestion returns the question of a request for buckets, within the filter of that request.
func NewQuestion(r *request.Request, f *filter.Filter) *Question {
	b := r.Buckets
	p := r.Principal
	nothing := r.Devices != nil && len(r.Devices) == 0 || r.Metrics != nil && len(r.Metrics) == 0
	key := sha256.Sum256(fmt.Appendf(nil, "%t %q %q %q %t %q %v %q %q",
		nothing, sorted(r.Devices), sorted(r.Tags), sorted(r.Metrics), p.SeesAll(), p.Devices, b.Interval, b.Aggregates, b.Zone))
	return &Question{
		request: r, filter: f, key: key, buckets: bucket.NewGrid(b.Interval, b.Zone), nothing: nothing,
		query: history.Query{
			Selection: history.Selection(r.Selection),
			Interval:  &b.Interval, Aggregates: b.Aggregates, Zone: b.Zone,
		},
	}
}

// Bounds returns the start and the end of the bucket that contains a time, all in Unix ms.
func (q *Question) Bounds(ts int64) (start, end int64) { return q.buckets.Bounds(ts) }

func sorted(words []string) []string { return slices.Sorted(slices.Values(words)) }
