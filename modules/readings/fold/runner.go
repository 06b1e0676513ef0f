// Package fold moves readings from the log into chunks, and maintains chunks afterwards.
//
// It owns the Runner, which does so in the background and on demand; the choice of a reading's chunk; closing days and months that
// are over; the statistics of days; the partitions of chunks, of months and of years; the removal of readings that are deleted or
// past their retention; and rewriting partitions. Package batchlog knows what is not folded yet; package scan reads both.
package fold

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/zap"

	"telltale/config"
	"telltale/modules/readings/batchlog"
	"telltale/modules/series"
	"telltale/platform/health"
	"telltale/platform/lock"
	"telltale/platform/postgres"
)

const (
	// foldGrace is how long after its regular time a fold waits, so that the readings of the hour that has just ended
	// are there.
	foldGrace = 30 * time.Second
	// foldCheck is how often a fold looks whether there is enough to do.
	foldCheck = time.Second
	// foldAgain and foldAgainMost are the pauses after a fold that failed: each twice as long as the one before.
	foldAgain     = time.Second
	foldAgainMost = time.Minute
)

// foldLock is the key of the transaction-level advisory lock of a fold: "tell" followed by 2.
const foldLock = 0x74656c6c_0002

// Runner moves readings from the log into chunks, in the background. One instance at a time folds; every instance tries.
type Runner struct {
	db        *postgres.DB
	log       *batchlog.Log
	tail      *batchlog.Tail
	window    *batchlog.Window
	registry  *series.Registry
	retention *series.Retention
	logger    *zap.Logger
	limits    config.Readings
	now       func() time.Time
	pack      pack
	step      int                // readings that a fold takes at once, about
	held      func(readings int) // is told how many a fold has in memory, the window aside, whenever it has read chunks

	folding lock.Lock // one fold at a time in this instance
	stop    context.CancelFunc
	done    chan struct{}

	trimmed atomic.Int64 // Unix ms; the month before which chunks were deleted last from a year that retention has reached

	trouble, days health.Trouble // of folds, and of closing days
}

// Parts are what a runner works with.
type Parts struct {
	DB        *postgres.DB
	Log       *batchlog.Log
	Tail      *batchlog.Tail
	Window    *batchlog.Window
	Registry  *series.Registry
	Retention *series.Retention
	// Limits say when a runner folds: at multiples of FoldInterval, earlier when FoldReadings wait. It drops blocks of the log that
	// are older than LogRetention.
	Limits config.Readings
	Logger *zap.Logger
	// Now is the clock; nil stands for the system's. Only tests give another one, and what follows.
	Now func() time.Time
	// Pack is how many readings a day or month may have that is one chunk, Step about how many readings a fold takes at once; 0
	// stands for the usual.
	Pack, Step int
	// Held is told how many readings a fold has in memory, the window aside, whenever it has read chunks; nil when that is not wanted.
	Held func(readings int)
}

// New returns a runner of the parts given.
func New(p Parts) *Runner {
	f := &Runner{
		db: p.DB, log: p.Log, tail: p.Tail, window: p.Window, registry: p.Registry, retention: p.Retention, limits: p.Limits, logger: p.Logger,
		done: make(chan struct{}), folding: lock.New(), now: p.Now, held: p.Held,
		pack: pack{cmp.Or(p.Pack, packDay), cmp.Or(p.Pack, packMonth)}, step: cmp.Or(p.Step, stepReadings),
	}
	if f.now == nil {
		f.now = time.Now
	}
	if f.held == nil {
		f.held = func(int) {}
	}
	return f
}

// Start begins to fold once the tail has caught up with the log. It does not wait for that.
func (f *Runner) Start(ctx context.Context) error {
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	f.stop = stop
	go f.run(postgres.WithLimit(run, f.db.Patient()))
	return nil
}

// Stop interrupts a fold under way, which leaves nothing half done, and returns when the runner has ended.
func (f *Runner) Stop(context.Context) error {
	f.stop()
	<-f.done
	return nil
}

func (f *Runner) run(ctx context.Context) {
	defer close(f.done)
	select {
	case <-f.tail.Loaded():
	case <-ctx.Done():
		return
	}
	ticker := time.NewTicker(foldCheck)
	defer ticker.Stop()
	next := f.next(time.Now())
	var settings followed
	var again backOff
	for {
		select {
		case now := <-ticker.C:
			f.followSettings(ctx, &settings, now)
			if !again.due(now, f.full() || !now.Before(next)) {
				continue
			}
			next = f.next(now)
			again.note(f.work(ctx), time.Now())
			if f.maintainByItself(ctx, lazily) == nil { // the next one takes up what is left
				f.mergeByItself(ctx)
			}
		case <-ctx.Done():
			return
		}
	}
}

// work closes the days that are over and folds. It logs when the one or the other begins to fail, and when it works again.
func (f *Runner) work(ctx context.Context) error {
	// Days come before the fold: what it moves into one that is closed becomes a chunk of a day at once.
	err := f.CloseDays(ctx)
	f.tell(ctx, &f.days, err, "days that are over are closed later", "days that are over are closed again")
	err = f.Fold(ctx)
	f.tell(ctx, &f.trouble, err, "folding fails; the readings stay in the log and a later fold takes them", "folding works again")
	return err
}

func (f *Runner) tell(ctx context.Context, trouble *health.Trouble, err error, bad, good string) {
	switch {
	case ctx.Err() != nil || !trouble.Note(err):
	case err == nil:
		f.logger.Info(good)
	default:
		f.logger.Log(postgres.Level(err), bad, zap.Error(err))
	}
}

// Err returns why the last fold has failed, or nil.
func (f *Runner) Err() error { return f.trouble.Err(time.Hour, nil) }

// full reports whether so much waits that a fold is due at once. What was deleted is to leave chunks and disk soon.
func (f *Runner) full() bool {
	waits := f.window.Stats()
	return waits.UnfoldedBytes >= batchlog.UnfoldedMemory(f.limits.FoldReadings) || waits.Masked > 0
}

// next returns when the regular fold after now is due. Folds of a whole day wait until it can be closed.
func (f *Runner) next(now time.Time) time.Time {
	grace := foldGrace
	if f.limits.FoldInterval%(24*time.Hour) == 0 {
		grace += closeGrace
	}
	return now.Add(-grace).Truncate(f.limits.FoldInterval).Add(f.limits.FoldInterval + grace)
}

const (
	// An instance whose machine vanishes between two statements must not keep every other one from folding. Statements are
	// planned for the months that they are about: a lock of another month does not keep a fold waiting.
	settleFold    = `SELECT set_config('idle_in_transaction_session_timeout', '1min', true), set_config('plan_cache_mode', 'auto', true)`
	tryFoldLock   = `SELECT pg_try_advisory_xact_lock($1)`
	selectFolded  = `SELECT folded_seq FROM log_state`
	updateFolded  = `UPDATE log_state SET folded_seq = $1, folded_at = $2`
	selectDropped = `SELECT dropped FROM reading_log WHERE seq > $1 AND seq <= $2 AND cardinality(dropped) > 0`
)

// Fold moves everything that the window holds into chunks, in one transaction. When another instance is folding it returns
// at once without an error.
func (f *Runner) Fold(ctx context.Context) error {
	if err := f.folding.Within(ctx); err != nil {
		return err
	}
	defer f.folding.Unlock()
	ctx = postgres.WithLimit(ctx, f.db.Patient())
	began := time.Now()
	recent := f.window.ViewAll()
	ready, err := f.ensureMonths(ctx, recent)
	if err != nil {
		return fmt.Errorf("making room for the readings of another month: %w", err)
	}
	if !ready {
		return nil
	}
	var folded, until int64
	err = f.underLock(ctx, func(tx pgx.Tx, mine bool) (err error) {
		if mine {
			folded, until, err = f.fold(ctx, tx, recent)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("folding the log: %w", err)
	}
	if until > folded {
		f.window.Folded(until)
		f.logger.Info("folded the log", zap.Int64("batches", until-folded), zap.Int64("seq", until),
			zap.Duration("duration_ms", time.Since(began)))
	}
	return nil
}

// underLock runs a function in a transaction that holds the fold lock, unless another instance does: then mine is false.
func (f *Runner) underLock(ctx context.Context, run func(tx pgx.Tx, mine bool) error) error {
	return f.db.InTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, settleFold); err != nil {
			return err
		}
		var mine bool
		if err := tx.QueryRow(ctx, tryFoldLock, int64(foldLock)).Scan(&mine); err != nil {
			return err
		}
		return run(tx, mine)
	})
}

// fold moves the view into chunks and returns the mark that it found and the mark that it set.
func (f *Runner) fold(ctx context.Context, tx pgx.Tx, recent batchlog.View) (folded, until int64, err error) {
	if err := tx.QueryRow(ctx, selectFolded).Scan(&folded); err != nil {
		return 0, 0, err
	}
	if folded < recent.Folded {
		return 0, 0, batchlog.ErrTorn // the view does not have what has to be folded again
	}
	if recent.Head <= folded {
		return folded, folded, nil
	}
	if ok, err := batchlog.Holds(ctx, tx, recent.BatchesAfter(recent.Head - 1)[0]); err != nil || !ok {
		return 0, 0, cmp.Or(err, batchlog.ErrTorn)
	}
	if err := deleteDropped(ctx, tx, folded, recent.Head); err != nil {
		return 0, 0, err
	}
	if err := f.foldSeries(ctx, tx, recent, folded); err != nil {
		return 0, 0, err
	}
	_, err = tx.Exec(ctx, updateFolded, recent.Head, batchlog.TimeOf(recent.Stamp))
	return folded, recent.Head, err
}

// deleteDropped removes the chunks of series that batches in (folded, until] have dropped.
func deleteDropped(ctx context.Context, tx pgx.Tx, folded, until int64) error {
	rows, err := tx.Query(ctx, selectDropped, folded, until)
	if err != nil {
		return fmt.Errorf("reading dropped series: %w", err)
	}
	dropped, err := pgx.CollectRows(rows, pgx.RowTo[[]int32])
	if err != nil {
		return fmt.Errorf("reading dropped series: %w", err)
	}
	if len(dropped) == 0 {
		return nil
	}
	return deleteSeries(ctx, tx, slices.Concat(dropped...))
}

// foldSeries writes the chunks of every series in the view and their newest readings.
//
// What it has in memory is bounded, however much is unfolded, of whatever times: of each series it takes a step of
// readings at a time, in the order of the log, and writes about a step of readings, with those of the chunks that they go
// into, before it takes more.
func (f *Runner) foldSeries(ctx context.Context, tx pgx.Tx, recent batchlog.View, folded int64) error {
	placer, err := f.newPlacer(ctx, tx)
	if err != nil {
		return err
	}
	placed, err := f.foldDeletions(ctx, placer, recent, folded)
	if err != nil {
		return err
	}
	for i, id := range recent.Series {
		if err := f.placeRefs(ctx, placer, recent, id, recent.Between(i, max(folded, placed[id]), recent.Head)); err != nil {
			return err
		}
	}
	if err := placer.flush(ctx); err != nil {
		return err
	}
	deleted := slices.Collect(maps.Keys(placed))
	if len(deleted) > 0 {
		if err := lockSeries(ctx, tx, slices.Concat(recent.Series, deleted)); err != nil {
			return err
		}
	}
	horizon := f.now().Add(series.AheadGrace).UnixMilli()
	if err := noteLastSeen(ctx, tx, recent, folded, horizon); err != nil {
		return err
	}
	return noteNewest(ctx, tx, deleted, horizon) // whether or not the log had readings of them
}

// placeRefs places readings of a series, which are in the order of the log, a step at a time.
func (f *Runner) placeRefs(ctx context.Context, placer *placer, recent batchlog.View, id int32, refs []batchlog.Ref) error {
	floor := f.retention.Floor(f.registry.RetentionDays(id))
	for len(refs) > 0 {
		n := min(len(refs), f.step)
		if err := placer.place(ctx, id, recent.Collect(refs[:n], floor, math.MaxInt64)); err != nil {
			return err
		}
		if refs = refs[n:]; len(refs) == 0 {
			break
		}
		// What follows may be of the same instants, and goes into the chunks as they are then.
		if err := placer.flush(ctx); err != nil {
			return err
		}
	}
	return nil
}

// newPlacer returns what writes chunks within tx, which holds the fold lock.
func (f *Runner) newPlacer(ctx context.Context, tx pgx.Tx) (*placer, error) {
	p := &placer{tx: tx, now: f.now(), pack: f.pack, step: f.step, held: f.held}
	if err := tx.QueryRow(ctx, selectClosed).Scan(&p.closed); err != nil {
		return nil, fmt.Errorf("reading which days are closed: %w", err)
	}
	return p, nil
}
