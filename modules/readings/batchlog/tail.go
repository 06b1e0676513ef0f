package batchlog

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"telltale/modules/series"
	"telltale/platform/fault"
	"telltale/platform/health"
	"telltale/platform/lock"
	"telltale/platform/postgres"
)

const (
	// pollInterval bounds how late a batch of another instance is seen when no doorbell rings.
	pollInterval = time.Second
	// refreshInterval bounds how late a unit that was changed at another instance is seen.
	refreshInterval = time.Minute
	// readAhead is about how many readings the tail asks for at once.
	readAhead = 500_000
)

// Tail follows the log: it applies every batch once, in order, to the registry and the recent window, whichever instance appended it.
type Tail struct {
	log      *Log
	window   *Window
	registry *series.Registry
	db       *postgres.DB
	listener *postgres.Listener
	logger   *zap.Logger

	rung   chan struct{} // the doorbell; one ring waiting is as good as many
	stop   context.CancelFunc
	done   chan struct{}
	loaded chan struct{} // closed once the tail has caught up for the first time

	refreshing sync.WaitGroup

	forecasts forecasts // nil for none

	dropped atomic.Int64 // seq of the newest batch applied that dropped series
	trouble health.Trouble
	loading loading

	advancing lock.Lock // held while batches are applied
}

// forecasts make readings that were ahead of now the newest ones of their series when their time has come.
type forecasts interface {
	// SettleAtStart does what can be done before the first answer.
	SettleAtStart(ctx context.Context)
	// Keep goes on with it until ctx ends.
	Keep(ctx context.Context)
}

// NewTail returns a tail of the log; Start makes it follow.
func NewTail(db *postgres.DB, log *Log, window *Window, registry *series.Registry, logger *zap.Logger) *Tail {
	t := &Tail{
		log: log, window: window, registry: registry, db: db, logger: logger,
		rung: make(chan struct{}, 1), done: make(chan struct{}), loaded: make(chan struct{}),
		advancing: lock.New(),
	}
	t.listener = postgres.NewListener(db, Doorbell, t.ring)
	return t
}

// SettleBy has the tail run what settles forecasts, from its start on.
func (t *Tail) SettleBy(by forecasts) { t.forecasts = by }

// ViewOf captures the window for the series that choose returns, while no batch is applied: by then the registry has observed
// what the window holds, and nothing else.
func (t *Tail) ViewOf(choose func() []int32) View {
	t.advancing.Lock()
	defer t.advancing.Unlock()
	return t.window.View(choose())
}

// Start begins to follow the log as soon as the database is ready. It does not wait.
func (t *Tail) Start(ctx context.Context) error {
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	t.stop = stop
	if err := t.listener.Start(ctx); err != nil {
		stop()
		return err
	}
	go t.run(run)
	return nil
}

// Stop ends following and returns when it has ended.
func (t *Tail) Stop(ctx context.Context) error {
	err := t.listener.Stop(ctx)
	t.stop()
	<-t.done
	t.refreshing.Wait()
	return err
}

// Loaded is closed when the tail has caught up with the log for the first time.
func (t *Tail) Loaded() <-chan struct{} { return t.loaded }

// Listening reports whether the doorbell is heard.
func (t *Tail) Listening() bool { return t.listener.Listening() }

// Err returns why the tail cannot follow the log at present, or nil.
func (t *Tail) Err() error {
	select {
	case <-t.loaded:
		return t.trouble.Err(stallPatience, fault.Busy(time.Second, nil, "the log does not answer"))
	default:
	}
	if err := t.trouble.Err(time.Hour, nil); err != nil {
		return err
	}
	return t.loading.err(t.window.Head())
}

// ring notes that the log may have grown. The payload is the seq it has grown to; nothing means unknown. Most rings tell
// an instance of its own batches, which it has applied already.
func (t *Tail) ring(payload string) {
	if seq, err := strconv.ParseInt(payload, 10, 64); err == nil && seq <= t.window.Head() {
		return
	}
	select {
	case t.rung <- struct{}{}:
	default:
	}
}

func (t *Tail) run(ctx context.Context) {
	defer close(t.done)
	select {
	case <-t.db.Ready():
	case <-ctx.Done():
		return
	}
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for !t.attempt(ctx, t.load) {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
	if t.forecasts != nil {
		t.forecasts.SettleAtStart(ctx)
		t.refreshing.Go(func() { t.forecasts.Keep(ctx) })
	}
	close(t.loaded)
	t.refreshing.Go(func() { t.refresh(ctx) })
	for {
		select {
		case <-t.rung:
			t.attempt(ctx, t.Advance)
		case <-ticker.C:
			t.attempt(ctx, t.poll)
		case <-ctx.Done():
			return
		}
	}
}

// refresh reads the registry again from time to time, for units that were changed at other instances. It has a goroutine of
// its own because a million series take a while.
func (t *Tail) refresh(ctx context.Context) {
	ticker := time.NewTicker(refreshInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			if err := t.registry.Load(ctx); err != nil && ctx.Err() == nil {
				t.logger.Warn("units that were changed elsewhere are seen later", zap.Error(err))
			}
		case <-ctx.Done():
			return
		}
	}
}

// attempt runs one step and logs when the tail begins to fail and when it is well again.
func (t *Tail) attempt(ctx context.Context, step func(context.Context) error) (ok bool) {
	t.trouble.Begin()
	err := step(ctx)
	if ctx.Err() != nil {
		return false
	}
	switch {
	case !t.trouble.Note(err):
	case err == nil:
		t.logger.Info("the log can be followed again", zap.Int64("seq", t.window.Head()))
	default:
		t.logger.Log(postgres.Level(err), "the log cannot be followed; trying again each second", zap.Error(err))
	}
	return err == nil
}

// load makes registry and window what the database says: every series, and every batch that is not folded.
func (t *Tail) load(ctx context.Context) error {
	return t.loadInto(ctx, t.registry.Load, func(state State) { t.window.Reset(state) })
}

// reload is load for a log that is not the one followed so far: those who follow the window are told so, and an id may
// stand for another series now.
func (t *Tail) reload(ctx context.Context) error {
	return t.loadInto(ctx, t.registry.Reload, func(state State) { t.window.Replace(state) })
}

func (t *Tail) loadInto(ctx context.Context, readSeries func(context.Context) error, reset func(State)) error {
	if err := t.advancing.Within(ctx); err != nil {
		return err
	}
	defer t.advancing.Unlock()
	state, err := t.log.State(ctx)
	if err != nil {
		return err
	}
	if err := readSeries(ctx); err != nil {
		return err
	}
	t.loading.begin(state)
	t.registry.Rebase(state.FoldedStamp)
	reset(state)
	t.dropped.Store(state.Dropped)
	applyAll := func(batches []*Batch) error { return t.applyAll(ctx, batches) }
	if err := t.log.readThrough(ctx, state.Folded, state.Head, applyAll); err != nil {
		return err
	}
	return t.catchUp(ctx) // what has come meanwhile
}

// Advance applies every batch after the head that the log table has.
func (t *Tail) Advance(ctx context.Context) error {
	bounded, cancel := context.WithTimeout(ctx, t.db.Limit())
	defer cancel()
	if err := t.advancing.Within(bounded); err != nil {
		return fault.Busy(time.Second, err, "the log could not be followed in time")
	}
	defer t.advancing.Unlock()
	return t.catchUp(ctx)
}

// AdvanceTo is advance for a log that has got as far as head. What it does not have of that any longer is torn off.
func (t *Tail) AdvanceTo(ctx context.Context, head int64) error {
	if head <= t.window.Head() {
		return nil
	}
	if err := t.Advance(ctx); err != nil {
		return err
	}
	if at := t.window.Head(); at < head {
		return fmt.Errorf("%w: it holds nothing after %d, and has got as far as %d", ErrTorn, at, head)
	}
	return nil
}

// Reach makes the window hold every batch that the log has now, whichever instance appended it: a client that was acknowledged
// anywhere before this call finds its readings in what is read after it.
func (t *Tail) Reach(ctx context.Context) error {
	head, err := t.log.head(ctx)
	if err != nil {
		return err
	}
	return t.AdvanceTo(ctx, head)
}

// poll notices what the doorbell did not tell: batches, folds by other instances, and a log that is torn, which it reads
// again.
func (t *Tail) poll(ctx context.Context) error {
	before := t.window.Stats()
	state, err := t.log.State(ctx)
	if err != nil {
		return err
	}
	torn, err := t.torn(ctx, before, state)
	if err != nil {
		return err
	}
	again := t.reload
	if !torn {
		err = t.AdvanceTo(ctx, state.Head)
		if torn = errors.Is(err, ErrTorn); err != nil && !torn {
			return err
		}
		again = t.load // it is the same log, which has been cut off before what comes next
	}
	if torn {
		t.logger.Warn("the log is not the one followed so far, reading it again",
			zap.Int64("seq", before.Head), zap.Int64("log_seq", state.Head), zap.Int64("folded_seq", state.Folded))
		return again(ctx)
	}
	t.window.Folded(min(state.Folded, t.window.Head()))
	return nil
}

// torn reports whether the log has lost batches that the window holds, or a fold that it knows of. before is what the window
// held before state was read.
func (t *Tail) torn(ctx context.Context, before Stats, state State) (bool, error) {
	if state.Head < before.Head || state.Folded < before.Folded {
		return true, nil
	}
	newest := t.window.newest()
	if newest == nil || newest.Seq <= state.Folded { // the log need not have it any longer
		return false, nil
	}
	ok, err := Holds(ctx, t.db, newest)
	return !ok, err
}

// catchUp reads the log until nothing is left. The error is ErrTorn when the log is not the one followed so far. The caller holds
// advancing.
func (t *Tail) catchUp(ctx context.Context) error {
	for {
		head, stamp := t.window.NewestStamped()
		batches, err := t.log.readNext(ctx, head, stamp, readAhead)
		if err != nil || len(batches) == 0 {
			return err
		}
		if err := t.applyAll(ctx, batches); err != nil {
			return err
		}
	}
}

// applyAll applies batches one after the other. The caller holds advancing.
func (t *Tail) applyAll(ctx context.Context, batches []*Batch) error {
	t.trouble.Progress()
	for _, b := range batches {
		if err := t.apply(ctx, b); err != nil {
			return err
		}
	}
	return nil
}

// offer takes a batch that this instance has appended, without reading it back when it is the next one. Afterwards the
// window has reached its seq, unless the log could not be read: then the tail gets there by itself later.
func (t *Tail) offer(ctx context.Context, b *Batch) {
	if err := t.advancing.Within(ctx); err != nil {
		t.logger.Warn("batch is stored but not yet visible", zap.Int64("seq", b.Seq), zap.Error(err))
		return
	}
	defer t.advancing.Unlock()
	if head, stamp := t.window.NewestStamped(); b.Seq == head+1 && b.before == stamp {
		if err := t.apply(ctx, b); err == nil {
			return
		}
	}
	if err := t.catchUp(ctx); err != nil {
		t.logger.Warn("batch is stored but not yet visible", zap.Int64("seq", b.Seq), zap.Error(err))
	}
}

// apply takes the batch after the head into account. The caller holds advancing.
func (t *Tail) apply(ctx context.Context, b *Batch) error {
	if b.Seq != t.window.Head()+1 {
		return fmt.Errorf("%w: it continues with batch %d after %d", ErrTorn, b.Seq, t.window.Head())
	}
	if unknown := t.registry.Unknown(b.Series); len(unknown) > 0 {
		if err := t.registry.Learn(ctx, unknown); err != nil {
			return err
		}
	}
	if b.Deletion != nil {
		if err := t.retract(ctx, b); err != nil {
			return err
		}
	}
	if len(b.Dropped) > 0 {
		t.registry.Drop(b.Dropped)
	}
	// A batch without readings drops a device, even one that had no series, or readings.
	if b.Len() == 0 {
		t.dropped.Store(b.Seq)
	}
	t.registry.Observe(b.Stamp(), b.CommittedAt, b.Series, b.TS, b.Value)
	t.window.Apply(b)
	return nil
}
