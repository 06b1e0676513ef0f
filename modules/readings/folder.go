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
	// foldKeys is how many chunks a fold has in memory at once.
	foldKeys = 2048
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
	pack   int // readings of a day or month that is one chunk, at most

	folding sync.Mutex // one fold at a time in this instance
	stop    context.CancelFunc
	done    chan struct{}
}

// NewFolder returns a folder that folds at multiples of the limits' FoldInterval, earlier when FoldReadings wait, and drops
// blocks of the log that are older than LogRetention.
func NewFolder(db *postgres.DB, log *Log, tail *Tail, window *Window, limits config.Readings, logger *zap.Logger) *Folder {
	return &Folder{
		db: db, log: log, tail: tail, window: window, limits: limits, logger: logger, done: make(chan struct{}),
		now: time.Now, pack: packReadings,
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
			full := f.window.Stats().Unfolded >= f.limits.FoldReadings
			if !full && now.Before(next) {
				continue
			}
			next = f.next(now)
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

// next returns when the regular fold after now is due.
func (f *Folder) next(now time.Time) time.Time {
	return now.Add(-foldGrace).Truncate(f.limits.FoldInterval).Add(f.limits.FoldInterval + foldGrace)
}

// maintain closes days, removes readings past their retention, and keeps the log's blocks ahead of its head and within its retention.
func (f *Folder) maintain(ctx context.Context) {
	if err := f.closeDays(ctx); err != nil && ctx.Err() == nil {
		f.logger.Error("days that are over are closed later", zap.Error(err))
	}
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
	// An instance whose machine vanishes between two statements must not keep every other one from folding.
	limitSilence   = `SET LOCAL idle_in_transaction_session_timeout = '1min'`
	tryFoldLock    = `SELECT pg_try_advisory_xact_lock($1)`
	selectFolded   = `SELECT folded_seq FROM log_state`
	updateFolded   = `UPDATE log_state SET folded_seq = $1`
	selectDropped  = `SELECT dropped FROM reading_log WHERE seq > $1 AND seq <= $2 AND cardinality(dropped) > 0`
	updateLastSeen = `
UPDATE series SET last_ts = l.ts, last_value = l.value
FROM (SELECT unnest($1::int[]) AS id, unnest($2::timestamptz[]) AS ts, unnest($3::float8[]) AS value) AS l
WHERE series.id = l.id AND (series.last_ts IS NULL OR series.last_ts <= l.ts)`
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
		f.window.Folded(until, time.Now())
		f.logger.Info("folded the log", zap.Int64("batches", until-folded), zap.Int64("seq", until),
			zap.Duration("took", time.Since(began)))
	}
	return nil
}

// underLock runs a function in a transaction that holds the fold lock, unless another instance does: then mine is false.
func (f *Folder) underLock(ctx context.Context, run func(tx pgx.Tx, mine bool) error) error {
	return f.db.InTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, limitSilence); err != nil {
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
func (f *Folder) foldSeries(ctx context.Context, tx pgx.Tx, recent view, folded int64) error {
	placer, err := f.newPlacer(ctx, tx)
	if err != nil {
		return err
	}
	last := lastSeen{}
	for i, id := range recent.series {
		p := recent.points(i, folded, minTS, maxTS)
		if p.Len() == 0 {
			continue
		}
		last.note(id, p)
		kept := p.slice(f.floor(f.tail.registry.RetentionDays(id)), maxTS)
		if err := placer.place(ctx, id, kept); err != nil {
			return err
		}
	}
	if err := placer.flush(ctx); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, updateLastSeen, last.series, last.ts, last.value)
	return err
}

// newPlacer returns what writes chunks within tx, which holds the fold lock.
func (f *Folder) newPlacer(ctx context.Context, tx pgx.Tx) (*placer, error) {
	p := &placer{tx: tx, pack: f.pack}
	if err := tx.QueryRow(ctx, selectClosed).Scan(&p.closed); err != nil {
		return nil, fmt.Errorf("reading which days are closed: %w", err)
	}
	return p, nil
}

// lastSeen is the newest reading of each series that a fold has met: parallel slices.
type lastSeen struct {
	series []int32
	ts     []time.Time
	value  []float64
}

func (l *lastSeen) note(id int32, p Points) {
	n := p.Len() - 1
	l.series = append(l.series, id)
	l.ts = append(l.ts, millis(p.TS[n]))
	l.value = append(l.value, p.Value[n])
}
