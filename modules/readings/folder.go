package readings

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/zap"

	"telltale/config"
	"telltale/platform/postgres"
)

const (
	// foldGrace is how long after its regular time a fold waits, so that the readings of the hour that has just ended
	// are there.
	foldGrace = 30 * time.Second
	// foldCheck is how often a fold looks whether there is enough to do.
	foldCheck = time.Second
	// foldAgain is how long after a fold that failed the next one is due.
	foldAgain = time.Minute
)

// Folder moves readings from the log into chunks, in the background. One instance at a time folds; every instance tries.
type Folder struct {
	db     *postgres.DB
	log    *Log
	tail   *Tail
	window *Window
	logger *zap.Logger
	limits config.Readings
	now    func() time.Time
	pack   int                // readings of a day or month that is one chunk, at most
	step   int                // readings that a fold takes at once, about
	held   func(readings int) // is told how many a fold has in memory, the window aside, whenever it has read chunks

	folding sync.Mutex // one fold at a time in this instance
	stop    context.CancelFunc
	done    chan struct{}
}

// NewFolder returns a folder that folds at multiples of the limits' FoldInterval, earlier when FoldReadings wait, and drops
// blocks of the log that are older than LogRetention.
func NewFolder(db *postgres.DB, log *Log, tail *Tail, window *Window, limits config.Readings, logger *zap.Logger) *Folder {
	return &Folder{
		db: db, log: log, tail: tail, window: window, limits: limits, logger: logger, done: make(chan struct{}),
		now: time.Now, pack: packReadings, step: stepReadings, held: func(int) {},
	}
}

// Start begins to fold once the tail has caught up with the log. It does not wait for that.
func (f *Folder) Start(ctx context.Context) error {
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	f.stop = stop
	go f.run(run)
	return nil
}

// Stop interrupts a fold under way, which leaves nothing half done, and returns when the folder has ended.
func (f *Folder) Stop(context.Context) error {
	f.stop()
	<-f.done
	return nil
}

func (f *Folder) run(ctx context.Context) {
	defer close(f.done)
	select {
	case <-f.tail.Loaded():
	case <-ctx.Done():
		return
	}
	ticker := time.NewTicker(foldCheck)
	defer ticker.Stop()
	next := f.next(time.Now())
	for {
		select {
		case now := <-ticker.C:
			if !f.full() && now.Before(next) {
				continue
			}
			next = f.next(now)
			// Days come before the fold: what it moves into one that is closed becomes a chunk of a day at once.
			if err := f.closeDays(ctx); err != nil && ctx.Err() == nil {
				f.logger.Error("days that are over are closed later", zap.Error(err))
			}
			if err := f.Fold(ctx); err != nil && ctx.Err() == nil {
				f.logger.Error("folding failed; the readings stay in the log and the next fold takes them", zap.Error(err))
				next = now.Add(foldAgain)
			}
			f.maintain(ctx)
		case <-ctx.Done():
			return
		}
	}
}

// full reports whether so much waits that a fold is due at once.
func (f *Folder) full() bool { return f.window.Stats().Unfolded >= f.limits.FoldReadings }

// next returns when the regular fold after now is due. Folds of a whole day wait until it can be closed.
func (f *Folder) next(now time.Time) time.Time {
	grace := foldGrace
	if f.limits.FoldInterval%(24*time.Hour) == 0 {
		grace += closeGrace
	}
	return now.Add(-grace).Truncate(f.limits.FoldInterval).Add(f.limits.FoldInterval + grace)
}

// maintain removes readings past their retention, and keeps the log's blocks ahead of its head and within its retention.
func (f *Folder) maintain(ctx context.Context) {
	if err := f.enforceRetention(ctx); err != nil && ctx.Err() == nil {
		f.logger.Warn("readings past their retention, which no answer shows, stay on disk for now", zap.Error(err))
	}
	if err := f.log.EnsureBlocks(ctx); err != nil && ctx.Err() == nil {
		f.logger.Warn("no new block for the log yet", zap.Error(err))
	}
	dropped, err := f.log.DropBlocks(ctx, time.Now().Add(-f.limits.LogRetention))
	if err != nil && ctx.Err() == nil {
		f.logger.Warn("old blocks of the log are kept for now", zap.Error(err))
	}
	if dropped > 0 {
		f.logger.Info("dropped old blocks of the log", zap.Int("blocks", dropped))
	}
}

const (
	// An instance whose machine vanishes between two statements must not keep every other one from folding. Statements are
	// planned for the months that they are about: whoever locks another one does not keep a fold waiting.
	settleFold    = `SELECT set_config('idle_in_transaction_session_timeout', '1min', true), set_config('plan_cache_mode', 'auto', true)`
	tryFoldLock   = `SELECT pg_try_advisory_xact_lock($1)`
	selectFolded  = `SELECT folded_seq FROM log_state`
	updateFolded  = `UPDATE log_state SET folded_seq = $1`
	selectDropped = `SELECT dropped FROM reading_log WHERE seq > $1 AND seq <= $2 AND cardinality(dropped) > 0`
)

// Fold moves everything that the window holds into chunks, in one transaction. When another instance is folding it returns
// at once without an error.
func (f *Folder) Fold(ctx context.Context) error {
	f.folding.Lock()
	defer f.folding.Unlock()
	began := time.Now()
	recent := f.window.viewAll()
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
func (f *Folder) underLock(ctx context.Context, run func(tx pgx.Tx, mine bool) error) error {
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
func (f *Folder) fold(ctx context.Context, tx pgx.Tx, recent view) (folded, until int64, err error) {
	if err := tx.QueryRow(ctx, selectFolded).Scan(&folded); err != nil {
		return 0, 0, err
	}
	if folded < recent.folded {
		return 0, 0, errTorn // the view does not have what has to be folded again
	}
	if recent.head <= folded {
		return folded, folded, nil
	}
	if ok, err := holds(ctx, tx, recent.batches[len(recent.batches)-1]); err != nil || !ok {
		return 0, 0, cmp.Or(err, errTorn)
	}
	if err := deleteDropped(ctx, tx, folded, recent.head); err != nil {
		return 0, 0, err
	}
	if err := f.foldSeries(ctx, tx, recent, folded); err != nil {
		return 0, 0, err
	}
	_, err = tx.Exec(ctx, updateFolded, recent.head)
	return folded, recent.head, err
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
// What it has in memory is bounded, however much is unfolded and whatever times it is of: of each series it takes a step of
// readings at a time, in the order of the log, and writes about a step of readings, with those of the chunks that they go
// into, before it takes more.
func (f *Folder) foldSeries(ctx context.Context, tx pgx.Tx, recent view, folded int64) error {
	placer, err := f.newPlacer(ctx, tx)
	if err != nil {
		return err
	}
	for i, id := range recent.series {
		floor := f.floor(f.tail.registry.RetentionDays(id))
		for refs := recent.between(i, folded); len(refs) > 0; {
			n := min(len(refs), f.step)
			if err := placer.place(ctx, id, recent.collect(refs[:n], floor, maxTS)); err != nil {
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
	}
	if err := placer.flush(ctx); err != nil {
		return err
	}
	return noteLastSeen(ctx, tx, recent, folded)
}

// newPlacer returns what writes chunks within tx, which holds the fold lock.
func (f *Folder) newPlacer(ctx context.Context, tx pgx.Tx) (*placer, error) {
	p := &placer{tx: tx, now: f.now(), pack: f.pack, step: f.step, held: f.held}
	if err := tx.QueryRow(ctx, selectClosed).Scan(&p.closed); err != nil {
		return nil, fmt.Errorf("reading which days are closed: %w", err)
	}
	return p, nil
}
