package streaming

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"telltale/modules/auth"
	"telltale/modules/readings"
)

// A viewer of buckets is a cursor like any other: a place in the log up to which readings have been looked at, and a
// time (Position.Until) up to which buckets have been sent. It gets what history answers, and therefore exactly that:
// when a bucket is over, it asks for it; when it meets readings of a bucket that it has sent, it asks for that one again.

const (
	// bucketGrace is how long after its end a bucket is asked for, so that what is on its way when it ends is in it. What
	// comes later still has the bucket sent again.
	bucketGrace = time.Second
	// bucketPace is how often a viewer's buckets are asked for again because of late readings.
	bucketPace = time.Second
	// restFactor is how many times as long as its questions took, or those of others that it shares, a viewer then asks none.
	restFactor = 3
	// bucketTurns is how many flushes are made at once, for all viewers together. It keeps connections and processor time for
	// the rest of the program.
	bucketTurns = 2
	// bucketPatience is how long a viewer waits for its turn before it sees to whatever else is due, such as a heartbeat.
	bucketPatience = 5 * time.Second
	// bucketRetry is how long it waits before it tries again when there was no turn, no room or no database.
	bucketRetry = 250 * time.Millisecond
	// maxLate is how many buckets with late readings are asked for again one by one. Of more, a gap tells.
	maxLate = 10_000
	// maxLook is about how many readings of the log one flush looks through. Who has more before it does so in several, and
	// keeps its turn from others no longer than that takes.
	maxLook = 1_000_000
	// maxStretches is how many questions they are asked for by.
	maxStretches = 16
	// maxRows bounds the buckets of one flush. A viewer who is owed more gets them in several, as far as one bucket of each
	// series fits.
	maxRows = 50_000
	// maxBehind is how many buckets of time a viewer may be behind. Of more, a gap tells.
	maxBehind = 100_000
	// flushBytes bounds the flushes that are kept for viewers who ask the same.
	flushBytes = 16 << 20
)

// BucketRequest asks for closed buckets rather than readings.
type BucketRequest struct {
	Interval   readings.Interval
	Aggregates []readings.Aggregate
	Zone       *time.Location
}

// ask answers a query about history into rows.
type ask func(ctx context.Context, who auth.Principal, q readings.Query, rows *bucketRows) error

// closer makes what viewers of buckets get.
type closer struct {
	ask     ask
	window  window
	backlog *backlog
	names   nameTable
	room    *room
	memos   *lru[memoKey, *memo]
	turns   chan struct{}
	// What follows is changed by tests.
	now, stopwatch            func() time.Time // for buckets, and for what they cost
	grace, pace, patience     time.Duration
	maxLate, maxRows, maxSpan int
	maxLook                   int
}

func newCloser(from Sources, backlog *backlog, room *room) *closer {
	return &closer{
		ask: from.History, window: from.Window, backlog: backlog, names: from.Registry, room: room,
		memos: newLRU[memoKey, *memo](flushBytes), turns: make(chan struct{}, bucketTurns),
		now: time.Now, stopwatch: time.Now, grace: bucketGrace, pace: bucketPace, patience: bucketPatience, maxLate: maxLate, maxRows: maxRows, maxSpan: maxBehind, maxLook: maxLook,
	}
}

// questionKey stands for everything but time that an answer depends on: what is asked for, and what the asker may see.
type questionKey [sha256.Size]byte

// bucketing is what a viewer of buckets has that others do not. It is used by one goroutine at a time.
type bucketing struct {
	query   readings.Query // without its range
	buckets *readings.Buckets
	key     questionKey
	nothing bool      // nothing was asked for
	late    bool      // there is something to be looked at in the log
	rest    time.Time // nothing is asked before
}

func newBucketing(r *Request) *bucketing {
	b := r.Buckets
	p := r.Principal
	nothing := r.Devices != nil && len(r.Devices) == 0 || r.Metrics != nil && len(r.Metrics) == 0
	key := sha256.Sum256(fmt.Appendf(nil, "%t %q %q %q %t %q %v %q %q",
		nothing, sorted(r.Devices), sorted(r.Tags), sorted(r.Metrics), p.SeesAll(), p.Devices, b.Interval, b.Aggregates, b.Zone))
	return &bucketing{
		key: key, buckets: readings.NewBuckets(b.Interval, b.Zone), nothing: nothing,
		query: readings.Query{
			Selection: readings.Selection(r.Selection),
			Interval:  &b.Interval, Aggregates: b.Aggregates, Zone: b.Zone,
		},
	}
}

func sorted(words []string) []string { return slices.Sorted(slices.Values(words)) }

// closed returns the time up to which buckets are closed.
func (c *closer) closed(b *bucketing) int64 {
	start, _ := b.buckets.Bounds(c.now().Add(-c.grace).UnixMilli())
	return start
}

// locateBuckets finds out where a viewer of buckets begins.
//
// A place in the log without a time, such as the seq of a history answer, is as good as one: readings after it count as late
// for every bucket that is over, and those before it were in the answer.
func (v *viewer) locateBuckets() {
	r, b, closed := v.request, v.buckets, v.hub.closer.closed(v.buckets)
	v.pos = Position{Seq: v.hub.window.Head(), Until: closed}
	until := closed
	switch {
	case r.From != nil:
		v.pos.Seq = r.From.Seq
		if r.From.Until > 0 {
			until = r.From.Until
		}
	case r.Snapshot:
		until = closed - 1
	case !r.Since.IsZero():
		until = r.Since.UnixMilli()
	}
	if until < closed {
		v.pos.Until, _ = b.buckets.Bounds(max(until, 0))
	}
}
