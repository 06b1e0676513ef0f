// Package forecast handles readings that were posted ahead of their time: when that time comes, it makes them the newest ones of
// their series.
//
// It owns the database lookups for this, at the start of an instance and each second. The registry of package series knows which
// series are due.
package forecast

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"telltale/modules/readings/batchlog"
	"telltale/modules/readings/chunk"
	"telltale/modules/readings/instant"
	"telltale/modules/readings/scan"
	"telltale/modules/series"
	"telltale/platform/postgres"
)

const (
	// presentInterval bounds how long after its time (less the grace) a forecast becomes a newest reading.
	presentInterval = time.Second
	// presentAgain is how long after a lookup that failed the next one comes.
	presentAgain = 5 * time.Second
	// presentAtStart bounds how long a start waits for forecasts that have become present meanwhile.
	presentAtStart = time.Second
	// presentSeries is how many series are looked up at once.
	presentSeries = 1000
	// presentBand is how far back from now a lookup reads at first; each further one reads twice as far.
	presentBand = 2 * int64(chunk.Hour)
)

// Settler makes forecasts the newest readings of their series when their time has come.
type Settler struct {
	db       *postgres.DB
	tail     *batchlog.Tail
	registry *series.Registry
	logger   *zap.Logger

	months   atomic.Int64 // partitions of chunks that are known of
	settling sync.Mutex   // held while forecasts are looked up
}

// New returns a Settler, which the tail runs from its start on.
func New(db *postgres.DB, tail *batchlog.Tail, registry *series.Registry, logger *zap.Logger) *Settler {
	s := &Settler{db: db, tail: tail, registry: registry, logger: logger}
	tail.SettleBy(s)
	return s
}

// Keep settles forecasts until ctx ends.
func (s *Settler) Keep(ctx context.Context) {
	timer := time.NewTimer(presentInterval)
	defer timer.Stop()
	failing := false
	for {
		select {
		case <-timer.C:
		case <-ctx.Done():
			return
		}
		err := s.Settle(ctx)
		if err != nil && ctx.Err() == nil && !failing {
			s.logger.Warn("readings whose time has come are shown as newest ones later", zap.Error(err))
		}
		failing = err != nil
		timer.Reset(map[bool]time.Duration{false: presentInterval, true: presentAgain}[failing])
	}
}

// SettleAtStart does what can be done before the first answer, so that it shows what has become present while nothing ran.
func (s *Settler) SettleAtStart(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, presentAtStart)
	defer cancel()
	_ = s.Settle(ctx) // is tried again soon
}

// Settle looks up which readings have become present, and makes them newest ones. After an error it is as if it had not been
// called for what it did not get to.
func (s *Settler) Settle(ctx context.Context) error {
	s.settling.Lock()
	defer s.settling.Unlock()
	for {
		due, recent := s.takeDue()
		if len(due) == 0 {
			return nil
		}
		found, err := s.lookUp(ctx, due, recent)
		if err != nil {
			s.registry.Postpone(due)
			return fmt.Errorf("looking up readings whose time has come: %w", err)
		}
		s.registry.Settle(found)
		if len(due) < presentSeries {
			return nil
		}
	}
}

// takeDue returns what has to be looked up, those that look equally far ahead together, and the window as the registry knows
// it: what is not in it, the registry has not observed yet.
func (s *Settler) takeDue() (due []series.Due, recent batchlog.View) {
	recent = s.tail.ViewOf(func() []int32 {
		due = s.registry.TakeDue(presentSeries)
		slices.SortFunc(due, func(a, b series.Due) int { return cmp.Compare(a.Until, b.Until) })
		ids := make([]int32, len(due))
		for i, d := range due {
			ids[i] = d.ID
		}
		return ids
	})
	return due, recent
}

// lookUp finds the newest present reading of each series, and the next one after it.
func (s *Settler) lookUp(ctx context.Context, due []series.Due, recent batchlog.View) ([]series.Found, error) {
	all := make([]series.Found, len(due))
	each := make([]*series.Found, len(due))
	for i, d := range due {
		all[i] = series.Found{Due: d, Stamp: recent.Stamp, TS: series.NoReading, After: series.NoReading}
		each[i] = &all[i]
	}
	for from, to := 0, 0; from < len(all); from = to {
		var some []int
		for to < len(all) && all[to].Until == all[from].Until {
			some, to = append(some, to), to+1
		}
		if err := s.lookBack(ctx, each[from:to], recent.Pick(some)); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// lookBack reads from Until back, in bands of growing width, until each series has a present reading or is read from Next on.
func (s *Settler) lookBack(ctx context.Context, found []*series.Found, recent batchlog.View) error {
	until, band := found[0].Until, presentBand
	for {
		from := max(found[0].Horizon+1-band, instant.Min)
		v := &presentVisitor{found: found}
		pass := scan.Scan{DB: s.db, Months: &s.months, Recent: recent, From: from, Resume: from, To: until, Floors: nexts(found)}
		if err := pass.Run(ctx, v, false); err != nil {
			return err
		}
		if found, recent = unresolved(found, recent, from); len(found) == 0 {
			return nil
		}
		until, band = from, 2*band
	}
}

func nexts(found []*series.Found) []int64 {
	floors := make([]int64, len(found))
	for i, f := range found {
		floors[i] = max(f.Next, instant.Min)
	}
	return floors
}

// unresolved returns those that have no present reading yet and may have one before the instant given.
func unresolved(found []*series.Found, recent batchlog.View, from int64) ([]*series.Found, batchlog.View) {
	var still []*series.Found
	var left []int
	for i, f := range found {
		if f.TS == series.NoReading && max(f.Next, instant.Min) < from {
			still, left = append(still, f), append(left, i)
		}
	}
	return still, recent.Pick(left)
}

// presentVisitor notes which readings are around the horizon.
type presentVisitor struct {
	found   []*series.Found
	current *series.Found
}

func (v *presentVisitor) Begin(index int, _ int64) error {
	v.current = v.found[index]
	return nil
}

func (v *presentVisitor) Piece(p scan.Piece) error {
	f, points := v.current, p.Points
	n, _ := slices.BinarySearch(points.TS, f.Horizon+1)
	if n > 0 {
		f.TS, f.Value = points.TS[n-1], points.Value[n-1]
	}
	if n < points.Len() && f.After == series.NoReading {
		f.After = points.TS[n]
	}
	f.Count += points.Len() - n
	return nil
}

func (v *presentVisitor) End(err error) error { return err }
