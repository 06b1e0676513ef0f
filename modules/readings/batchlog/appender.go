package batchlog

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"telltale/modules/series"
	"telltale/platform/fault"
	"telltale/platform/health"
	"telltale/platform/postgres"
)

const (
	// groupReadings is how many readings one commit takes at most, unless a single request has more.
	groupReadings = 65_536
	// groupRequests bounds how many requests share a commit.
	groupRequests = 4096
	// stopGrace is how long commits go on after a stop, whose callers have all been answered by then.
	stopGrace = time.Second
)

// Appender makes the readings of many requests durable with one commit: what arrives while one commit is under way
// shares the next one. Nothing is delayed to wait for company.
type Appender struct {
	log      *Log
	tail     *Tail
	registry *series.Registry
	logger   *zap.Logger

	limit  int64         // most bytes that requests may take which wait
	bytes  atomic.Int64  // of the requests that wait or are being committed
	queued atomic.Int64  // their readings
	queue  chan *request // what is beyond its length is refused, as what is beyond limit

	stop  context.CancelFunc
	work  context.Context // of the commits, which go on after a stop
	abort context.CancelFunc
	done  chan struct{}

	tally struct{ commits, readings, took atomic.Int64 }

	trouble health.Trouble // whether batches can be committed
	// The commits and proofs of late; used by run's goroutine alone.
	committed, failed time.Time
	doubts            int
}

// request is one caller's readings on their way into a batch.
type request struct {
	series []int32
	ts     []int64
	value  []float64
	result chan result // buffered: the appender never waits for a caller who has left
}

type result struct {
	stamp int64
	err   error
}

// NewAppender returns an appender that lets as much wait as limit readings of one request take in memory. Beyond that
// Append refuses, unless nothing else waits.
func NewAppender(log *Log, tail *Tail, registry *series.Registry, limit int, logger *zap.Logger) *Appender {
	return &Appender{
		log: log, tail: tail, registry: registry, logger: logger,
		limit: int64(QueuedMemory(limit)), queue: make(chan *request, groupRequests), done: make(chan struct{}),
	}
}

// Start begins to commit what Append brings.
func (a *Appender) Start(ctx context.Context) error {
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	a.work, a.abort = context.WithCancel(context.WithoutCancel(ctx))
	a.stop = stop
	go a.run(run)
	return nil
}

// Stop commits what waits and returns when the appender has ended. Commits that have not ended after a second, or when ctx
// does, are given up: their callers are not told that the readings are stored. No Append may begin after it.
func (a *Appender) Stop(ctx context.Context) error {
	a.stop()
	defer a.abort()
	defer context.AfterFunc(ctx, a.abort)()
	grace := time.AfterFunc(stopGrace, a.abort)
	defer grace.Stop()
	<-a.done
	return nil
}

// Append makes the readings durable, all of them or none, and returns the stamp of the batch that holds them. By then they
// are in this instance's window. The slices are parallel; the appender copies them, but if the error
// is not nil it may still be about to, so they must not be reused then.
//
// When too much waits already it refuses at once with an Unavailable fault. When ctx ends first, no commit succeeds within the
// limit of a statement, or the commit's outcome is unknown, the readings may be stored or not; sending them again is safe.
func (a *Appender) Append(ctx context.Context, series []int32, ts []int64, value []float64) (stamp int64, err error) {
	if len(series) > MaxBatchReadings {
		return 0, fault.New(fault.TooLarge, "a request holds at most %d readings", MaxBatchReadings)
	}
	r := &request{series, ts, value, make(chan result, 1)}
	if !a.enqueue(r) {
		return 0, fault.Busy(time.Second, nil, "more readings arrive than the database takes; send these again later")
	}
	timer := time.NewTimer(a.log.db.Limit())
	defer timer.Stop()
	select {
	case res := <-r.result:
		return res.stamp, res.err
	case <-timer.C:
		return 0, fault.Busy(time.Second, nil, "the readings were not stored in time, and may still be; send them again")
	case <-ctx.Done():
		return 0, fault.Busy(time.Second, ctx.Err(), "the readings may not be stored yet; send them again")
	}
}

// enqueue has a request wait for a commit, if there is room for it. One that is alone always has room.
func (a *Appender) enqueue(r *request) bool {
	size := r.size()
	a.queued.Add(int64(len(r.series)))
	if waiting := a.bytes.Add(size); waiting <= a.limit || waiting == size {
		select {
		case a.queue <- r:
			return true
		default:
		}
	}
	a.leave(r)
	return false
}

// leave gives back what a request has taken.
func (a *Appender) leave(r *request) {
	a.queued.Add(-int64(len(r.series)))
	a.bytes.Add(-r.size())
}

// Queued returns how many readings wait or are being committed.
func (a *Appender) Queued() int { return int(a.queued.Load()) }

// QueuedBytes returns the memory of what waits or is being committed.
func (a *Appender) QueuedBytes() int { return int(a.bytes.Load()) }

func (a *Appender) run(ctx context.Context) {
	defer close(a.done)
	proof := time.NewTicker(proofInterval)
	defer proof.Stop()
	for {
		select {
		case <-proof.C:
			a.prove(ctx)
		case first := <-a.queue:
			a.commit(a.gather(first))
		case <-ctx.Done():
			a.drain()
			return
		}
	}
}

// drain commits what was queued before the stop.
func (a *Appender) drain() {
	for {
		select {
		case first := <-a.queue:
			a.commit(a.gather(first))
		default:
			return
		}
	}
}

// gather takes what waits, up to the limits of a group.
func (a *Appender) gather(first *request) []*request {
	group, readings := []*request{first}, len(first.series)
	for len(group) < groupRequests && readings < groupReadings {
		select {
		case r := <-a.queue:
			group, readings = append(group, r), readings+len(r.series)
			if readings > MaxBatchReadings {
				return a.split(group)
			}
		default:
			return group
		}
	}
	return group
}

// split commits the last request of a group, which does not fit, by itself.
func (a *Appender) split(group []*request) []*request {
	last := len(group) - 1
	a.commit(group[last:])
	return group[:last]
}

// commit appends a group as one batch and tells each request the outcome. A stop does not interrupt it.
func (a *Appender) commit(group []*request) {
	ctx, cancel := context.WithTimeout(a.work, 2*a.log.db.Limit()) // for a connection, and for the statement
	defer cancel()
	a.trouble.Begin()
	for len(group) > 0 {
		// The mark is read before the series are checked: a drop after the check fails the append.
		dropped := a.tail.dropped.Load()
		b := merge(group)
		if len(a.registry.Unknown(b.Series)) > 0 {
			group = a.refuseDropped(group)
			continue
		}
		began := time.Now()
		err := a.log.Append(ctx, b, dropped)
		if errors.Is(err, errDropped) {
			if err = a.tail.Advance(ctx); err == nil {
				continue
			}
		}
		if err == nil {
			a.count(b, time.Since(began))
			a.tail.offer(ctx, b)
		}
		a.note(err)
		res := result{err: err}
		if err == nil {
			res.stamp = b.Stamp()
		}
		a.answer(group, res)
		return
	}
	a.trouble.End()
}

// Tally counts what an appender has committed since it was made.
type Tally struct {
	Commits, Readings int64
	// Took is the time of all commits together, from the begin of each to the database's answer.
	Took time.Duration
}

// Tally returns what has been committed.
func (a *Appender) Tally() Tally {
	return Tally{Commits: a.tally.commits.Load(), Readings: a.tally.readings.Load(), Took: time.Duration(a.tally.took.Load())}
}

func (a *Appender) count(b *Batch, took time.Duration) {
	a.tally.commits.Add(1)
	a.tally.readings.Add(int64(len(b.Series)))
	a.tally.took.Add(int64(took))
}

// note remembers how a commit has ended, and logs when that changes.
func (a *Appender) note(err error) {
	if err == nil {
		a.committed, a.doubts = time.Now(), 0
	} else {
		a.failed = time.Now()
	}
	if a.work.Err() == nil {
		a.tell(err)
	}
}

// tell logs whether readings can be stored, when that changes.
func (a *Appender) tell(err error) {
	switch {
	case !a.trouble.Note(err):
	case err == nil:
		a.logger.Info("readings can be stored again")
	default:
		a.logger.Log(postgres.Level(err), "readings cannot be stored; trying on", zap.Error(err))
	}
}

// prove finds out whether readings could be stored, when no commit has shown it of late.
func (a *Appender) prove(ctx context.Context) {
	select {
	case <-a.tail.Loaded():
	default:
		return
	}
	if time.Since(a.committed) < proofInterval {
		return
	}
	err := a.log.prove(ctx)
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		if a.doubts++; a.doubts >= doubts {
			a.tell(err)
		}
		return
	}
	a.doubts = 0
	if time.Since(a.failed) >= failureCounts {
		a.tell(nil)
	}
}

// Err returns why readings cannot be stored at present, or nil.
func (a *Appender) Err() error {
	return a.trouble.Err(stallPatience, fault.Busy(time.Second, nil, "a commit does not end"))
}

// refuseDropped answers those requests that hold readings of series which exist no more, and returns the others.
func (a *Appender) refuseDropped(group []*request) []*request {
	var kept []*request
	for _, r := range group {
		if len(a.registry.Unknown(r.series)) == 0 {
			kept = append(kept, r)
			continue
		}
		a.answer([]*request{r}, result{err: fault.Busy(time.Second, nil,
			"a device was deleted while its readings were on their way; send them again to register it again")})
	}
	return kept
}

func (a *Appender) answer(group []*request, res result) {
	if res.err != nil && fault.As(res.err) == nil {
		res.err = fault.Busy(time.Second, res.err, "the readings could not be stored now; send them again")
	}
	for _, r := range group {
		a.leave(r)
		r.result <- res
	}
}
