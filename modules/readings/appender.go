package readings

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"telltale/modules/devices"
	"telltale/platform/fault"
)

const (
	// groupReadings is how many readings one commit takes at most, unless a single request has more.
	groupReadings = 65_536
	// groupRequests bounds how many requests share a commit.
	groupRequests = 4096
	// commitTimeout bounds a commit, waiting for a connection included.
	commitTimeout = 30 * time.Second
)

// Appender makes the readings of many requests durable with one commit: whatever arrives while one commit is under way
// shares the next one. Nothing is delayed to wait for company.
type Appender struct {
	log      *Log
	tail     *Tail
	registry *devices.Registry
	logger   *zap.Logger

	limit  int64         // most readings that may wait
	queued atomic.Int64  // readings that wait or are being committed
	queue  chan *request // as long as there can be requests; a request in it is at most one of limit

	stop  context.CancelFunc
	work  context.Context // of the commits, which go on after a stop
	abort context.CancelFunc
	done  chan struct{}
}

// request is one caller's readings on their way into a batch.
type request struct {
	series []int32
	ts     []int64
	value  []float64
	result chan result // buffered: the appender never waits for a caller who has left
}

type result struct {
	seq int64
	err error
}

// NewAppender returns an appender that lets at most limit readings wait; beyond that Append refuses.
func NewAppender(log *Log, tail *Tail, registry *devices.Registry, limit int, logger *zap.Logger) *Appender {
	return &Appender{
		log: log, tail: tail, registry: registry, logger: logger,
		limit: int64(limit), queue: make(chan *request, groupRequests), done: make(chan struct{}),
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

// Stop commits what waits and returns when the appender has ended. Commits that have not ended when ctx does are given
// up: nobody is told that their readings are stored. No Append may begin after it.
func (a *Appender) Stop(ctx context.Context) error {
	a.stop()
	defer a.abort()
	defer context.AfterFunc(ctx, a.abort)()
	<-a.done
	return nil
}

// Append makes the readings durable, all of them or none, and returns the seq of the batch that holds them. By then they
// are in this instance's window. The slices are parallel; the appender copies them, but if the error
// is not nil it may still be about to, so they must not be reused then.
//
// When too much waits already it refuses at once with an Unavailable fault. When ctx ends first, or the commit's outcome
// is unknown, the readings may be stored or not; sending them again is safe.
func (a *Appender) Append(ctx context.Context, series []int32, ts []int64, value []float64) (seq int64, err error) {
	n := int64(len(series))
	if n > MaxBatchReadings {
		return 0, fault.New(fault.TooLarge, "a request holds at most %d readings", MaxBatchReadings)
	}
	if waiting := a.queued.Add(n); waiting > a.limit && waiting > n {
		a.queued.Add(-n)
		return 0, errQueueFull()
	}
	r := &request{series, ts, value, make(chan result, 1)}
	select {
	case a.queue <- r:
	default:
		a.queued.Add(-n)
		return 0, errQueueFull()
	}
	select {
	case res := <-r.result:
		return res.seq, res.err
	case <-ctx.Done():
		return 0, fault.Busy(time.Second, ctx.Err(), "the readings may not be stored yet; send them again")
	}
}

func errQueueFull() error {
	return fault.Busy(time.Second, nil, "more readings arrive than the database takes; send these again later")
}

// Queued returns how many readings wait or are being committed.
func (a *Appender) Queued() int { return int(a.queued.Load()) }

func (a *Appender) run(ctx context.Context) {
	defer close(a.done)
	for {
		select {
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
	ctx, cancel := context.WithTimeout(a.work, commitTimeout)
	defer cancel()
	for len(group) > 0 {
		// The mark is read before the series are checked: whatever is dropped after the check fails the append.
		dropped := a.tail.dropped.Load()
		b := merge(group)
		if len(a.registry.Unknown(b.Series)) > 0 {
			group = a.refuseDropped(group)
			continue
		}
		err := a.log.Append(ctx, b, dropped)
		if errors.Is(err, errDropped) {
			if err = a.tail.advance(ctx); err == nil {
				continue
			}
		}
		if err == nil {
			a.tail.offer(ctx, b)
		}
		a.answer(group, result{b.Seq, err})
		return
	}
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
			"a device was deleted while its readings were on their way; send them again to register it anew")})
	}
	return kept
}

func (a *Appender) answer(group []*request, res result) {
	if res.err != nil && fault.As(res.err) == nil {
		a.logger.Error("readings could not be stored", zap.Int("requests", len(group)), zap.Error(res.err))
		res.err = fault.Busy(time.Second, res.err, "the readings could not be stored now; send them again")
	}
	for _, r := range group {
		a.queued.Add(-int64(len(r.series)))
		r.result <- res
	}
}

// merge makes one batch of a group's readings, in order, in memory of its own and of exactly the size needed: batches
// stay in the window for long.
func merge(group []*request) *Batch {
	n := 0
	for _, r := range group {
		n += len(r.series)
	}
	b := &Batch{Series: make([]int32, 0, n), TS: make([]int64, 0, n), Value: make([]float64, 0, n)}
	for _, r := range group {
		b.Series = append(b.Series, r.series...)
		b.TS = append(b.TS, r.ts...)
		b.Value = append(b.Value, r.value...)
	}
	return b
}
