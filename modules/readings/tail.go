package readings

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"telltale/modules/devices"
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

// Tail follows the log: it applies every batch once, in order, to the registry and the recent window, whoever appended it.
type Tail struct {
	log      *Log
	window   *Window
	registry *devices.Registry
	db       *postgres.DB
	listener *postgres.Listener
	logger   *zap.Logger

	rung   chan struct{} // the doorbell; one ring waiting is as good as many
	stop   context.CancelFunc
	done   chan struct{}
	loaded chan struct{} // closed once the tail has caught up for the first time

	refreshing sync.WaitGroup

	dropped atomic.Int64 // seq of the newest batch applied that dropped series
	failing atomic.Pointer[error]

	advancing sync.Mutex // held while batches are applied
}

// NewTail returns a tail of the log; Start makes it follow.
func NewTail(db *postgres.DB, log *Log, window *Window, registry *devices.Registry, logger *zap.Logger) *Tail {
	t := &Tail{
		log: log, window: window, registry: registry, db: db, logger: logger,
		rung: make(chan struct{}, 1), done: make(chan struct{}), loaded: make(chan struct{}),
	}
	t.listener = postgres.NewListener(db, Doorbell, t.ring)
	return t
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

// Err returns why the tail cannot follow the log at present, or nil.
func (t *Tail) Err() error {
	select {
	case <-t.loaded:
	default:
		if err := t.failing.Load(); err != nil {
			return *err
		}
		return fmt.Errorf("the log is still being loaded")
	}
	if err := t.failing.Load(); err != nil {
		return *err
	}
	return nil
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
	close(t.loaded)
	t.refreshing.Go(func() { t.refresh(ctx) })
	for {
		select {
		case <-t.rung:
			t.attempt(ctx, t.advance)
		case <-ticker.C:
			t.attempt(ctx, t.poll)
		case <-ctx.Done():
			return
		}
	}
}

// refresh reads the registry anew from time to time, for units that were changed at other instances. It has a goroutine of
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
	err := step(ctx)
	if ctx.Err() != nil {
		return false
	}
	if err == nil {
		if t.failing.Swap(nil) != nil {
			t.logger.Info("the log can be followed again", zap.Int64("seq", t.window.Head()))
		}
		return true
	}
	if t.failing.Swap(&err) == nil {
		t.logger.Error("the log cannot be followed; trying again each second", zap.Error(err))
	}
	return false
}

// load makes registry and window what the database says: every series, and every batch that is not folded.
func (t *Tail) load(ctx context.Context) error {
	return t.loadInto(ctx, t.registry.Load, func(state State) { t.window.Reset(state.Folded) })
}

// reload is load for a log that is not the one followed so far: whoever follows the window is told so, and an id may
// stand for another series now.
func (t *Tail) reload(ctx context.Context) error {
	return t.loadInto(ctx, t.registry.Reload, func(state State) { t.window.Replace(state.Folded, state.Head) })
}

func (t *Tail) loadInto(ctx context.Context, readSeries func(context.Context) error, reset func(State)) error {
	t.advancing.Lock()
	defer t.advancing.Unlock()
	state, err := t.log.State(ctx)
	if err != nil {
		return err
	}
	if err := readSeries(ctx); err != nil {
		return err
	}
	t.registry.Rebase(state.Folded)
	reset(state)
	t.dropped.Store(state.Dropped)
	return t.catchUp(ctx)
}

// advance applies every batch after the head that the log table has.
func (t *Tail) advance(ctx context.Context) error {
	t.advancing.Lock()
	defer t.advancing.Unlock()
	return t.catchUp(ctx)
}

// advanceTo is advance for a log that has got as far as head. What it does not have of that any longer is torn off.
func (t *Tail) advanceTo(ctx context.Context, head int64) error {
	if head <= t.window.Head() {
		return nil
	}
	if err := t.advance(ctx); err != nil {
		return err
	}
	if at := t.window.Head(); at < head {
		return fmt.Errorf("%w: it holds nothing after %d, and has got as far as %d", errTorn, at, head)
	}
	return nil
}

// Reach makes the window hold every batch that the log has now, whichever instance appended it: whoever was acknowledged
// anywhere before this call finds its readings in what is read after it.
func (t *Tail) Reach(ctx context.Context) error {
	head, err := t.log.head(ctx)
	if err != nil {
		return err
	}
	return t.advanceTo(ctx, head)
}

// poll notices what the doorbell did not tell: batches, folds by other instances, and a log that is torn, which it reads
// anew.
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
	anew := t.reload
	if !torn {
		err = t.advanceTo(ctx, state.Head)
		if torn = errors.Is(err, errTorn); err != nil && !torn {
			return err
		}
		anew = t.load // it is the same log, which has been cut off before what comes next
	}
	if torn {
		t.logger.Warn("the log is not the one followed so far, reading it anew",
			zap.Int64("seq", before.Head), zap.Int64("log_seq", state.Head), zap.Int64("folded_seq", state.Folded))
		return anew(ctx)
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
	ok, err := holds(ctx, t.db, newest)
	return !ok, err
}

// catchUp reads the log until nothing is left. The caller holds advancing.
func (t *Tail) catchUp(ctx context.Context) error {
	for {
		batches, err := t.log.Read(ctx, t.window.Head(), readAhead)
		if err != nil || len(batches) == 0 {
			return err
		}
		for _, b := range batches {
			if err := t.apply(ctx, b); err != nil {
				return err
			}
		}
	}
}

// offer takes a batch that this instance has appended, without reading it back when it is the next one. Afterwards the
// window has reached its seq, unless the log could not be read: then the tail gets there by itself later.
func (t *Tail) offer(ctx context.Context, b *Batch) {
	t.advancing.Lock()
	defer t.advancing.Unlock()
	if b.Seq == t.window.Head()+1 {
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
		return fmt.Errorf("%w: it continues with batch %d after %d", errTorn, b.Seq, t.window.Head())
	}
	if unknown := t.registry.Unknown(b.Series); len(unknown) > 0 {
		if err := t.registry.Learn(ctx, unknown); err != nil {
			return err
		}
	}
	if len(b.Dropped) > 0 {
		t.registry.Drop(b.Dropped)
	}
	// A batch without readings drops a device, even one that had no series.
	if b.Len() == 0 {
		t.dropped.Store(b.Seq)
	}
	t.registry.Observe(b.Seq, b.Series, b.TS, b.Value)
	t.window.Apply(b)
	return nil
}
