package readingstest

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"

	"telltale/config"
	"telltale/modules/auth/access"
	"telltale/modules/readings"
	"telltale/modules/readings/batchlog"
	"telltale/modules/readings/fold"
	"telltale/modules/readings/forecast"
	"telltale/modules/readings/history"
	"telltale/modules/readings/instant"
	"telltale/modules/readings/payload"
	"telltale/modules/readings/turns"
	"telltale/modules/series"
	"telltale/platform/postgres"
)

// Everyone may do everything.
var Everyone = access.Principal{Subject: "test", Scopes: []access.Scope{access.Admin}}

// Engine is one instance, as far as readings need it: every part, running on a database.
type Engine struct {
	*readings.Service
	DB        *postgres.DB
	Log       *batchlog.Log
	Tail      *batchlog.Tail
	Window    *batchlog.Window
	Appender  *batchlog.Appender
	Runner    *fold.Runner
	Registry  *series.Registry
	Retention *series.Retention
	Forecasts *forecast.Settler
	Queries   *history.Engine
	// Limits are those of queries.
	Limits history.Limits
	// Changed is told when Queries, Runner or Retention is another one than before.
	Changed func()

	folding fold.Parts
	clock   atomic.Pointer[func() time.Time]
}

// Now returns the time by the engine's clock.
func (e *Engine) Now() time.Time { return (*e.clock.Load())() }

// Start starts an instance that folds only when told to. It ends with the test.
func Start(t testing.TB, db *postgres.DB, change ...func(*config.Readings)) *Engine {
	t.Helper()
	e, stop := New(t, db, change...)
	t.Cleanup(stop)
	return e
}

// New starts an instance that ends by stop.
func New(t testing.TB, db *postgres.DB, change ...func(*config.Readings)) (e *Engine, stop func()) {
	t.Helper()
	return NewAt(t, db, time.Now, change...)
}

// NewAt is New for an instance that lives by another clock.
func NewAt(t testing.TB, db *postgres.DB, now func() time.Time, change ...func(*config.Readings)) (e *Engine, stop func()) {
	t.Helper()
	e, stop = BeginAt(t, db, now, change...)
	<-e.Tail.Loaded()
	return e, stop
}

// BeginAt is NewAt for an instance that need not have read the log yet.
func BeginAt(t testing.TB, db *postgres.DB, now func() time.Time, change ...func(*config.Readings)) (e *Engine, stop func()) {
	t.Helper()
	limits := config.Readings{
		MaxQueuedReadings: 1 << 20, MaxUnfoldedReadings: 1 << 20, FoldReadings: 1 << 30, FoldInterval: time.Hour,
		WindowBytes: 1 << 20, LogRetention: time.Hour, QueryTimeout: time.Minute, QueryMaxPoints: 1 << 20,
	}
	for _, c := range change {
		c(&limits)
	}
	logger := zaptest.NewLogger(t, zaptest.Level(zap.WarnLevel))
	e = &Engine{DB: db, Log: batchlog.NewLog(db), Window: batchlog.NewWindow(limits.WindowBytes), Registry: series.NewRegistry(db), Changed: func() {}}
	e.SetNow(now)
	e.Registry.UseClock(now)
	e.Tail = batchlog.NewTail(db, e.Log, e.Window, e.Registry, logger)
	e.Forecasts = forecast.New(db, e.Tail, e.Registry, logger)
	e.Appender = batchlog.NewAppender(e.Log, e.Tail, e.Registry, limits.MaxQueuedReadings, logger)
	e.Retention = series.NewRetention(e.Registry, limits.RetentionDays, e.Now)
	e.folding = fold.Parts{
		DB: db, Log: e.Log, Tail: e.Tail, Window: e.Window, Registry: e.Registry, Retention: e.Retention, Limits: limits, Logger: logger, Now: e.Now,
	}
	e.Runner = fold.New(e.folding)
	e.AnswerWithin(history.Limits{Timeout: limits.QueryTimeout, MaxPoints: limits.QueryMaxPoints, Gate: turns.New(4, history.Patience)})
	e.Service = readings.NewService(readings.Parts{
		DB: db, Log: e.Log, Tail: e.Tail, Window: e.Window, Appender: e.Appender, Runner: e.Runner, Registry: e.Registry, Retention: e.Retention,
		History: e.Queries, Limits: limits, Logger: logger, Now: e.Now,
		Earliest: time.UnixMilli(instant.Min), // small numbers are easier to read
	})
	ctx := context.Background()
	require.NoError(t, e.Tail.Start(ctx))
	require.NoError(t, e.Appender.Start(ctx))
	return e, func() {
		require.NoError(t, e.Appender.Stop(ctx))
		require.NoError(t, e.Tail.Stop(ctx))
	}
}

// AnswerWithin has queries answered within other limits.
func (e *Engine) AnswerWithin(limits history.Limits) {
	limits.Kept = new(atomic.Int64)
	e.Limits = limits
	e.Queries = history.New(e.DB, e.Tail, e.Window, e.Registry, e.Retention, limits)
	e.Changed()
}

// FoldWith has the engine fold with other parts.
func (e *Engine) FoldWith(change func(*fold.Parts)) {
	change(&e.folding)
	e.Runner = fold.New(e.folding)
	e.Changed()
}

// UseGate has queries wait at another gate.
func (e *Engine) UseGate(permits int, patience time.Duration) {
	limits := e.Limits
	limits.Gate = turns.New(permits, patience)
	e.AnswerWithin(limits)
}

// SetNow gives the engine another clock, for all but its registry.
func (e *Engine) SetNow(now func() time.Time) { e.clock.Store(&now) }

// KeepDays changes the general retention.
func (e *Engine) KeepDays(days int) {
	e.Retention = series.NewRetention(e.Registry, days, e.Now)
	e.FoldWith(func(p *fold.Parts) { p.Limits.RetentionDays, p.Retention = days, e.Retention })
	e.AnswerWithin(e.Limits)
}

// Post ingests a body of JSON and returns its stamp.
func (e *Engine) Post(t testing.TB, format string, args ...any) int64 {
	t.Helper()
	receipt, err := e.Ingest(t.Context(), Everyone, payload.Request{
		ContentType: "application/json", Data: fmt.Appendf(nil, format, args...), MaxBytes: 1 << 20, Now: time.Now(),
	}, false)
	require.NoError(t, err)
	return receipt.Stamp
}

// FoldAll moves everything into chunks.
func (e *Engine) FoldAll(t testing.TB) {
	t.Helper()
	require.NoError(t, e.Runner.Fold(t.Context()))
}

// Answer returns the answer to a query for everything that Everyone may see, as plain data. Without an end the query is of all time.
func (e *Engine) Answer(t testing.TB, q history.Query) *Collected {
	t.Helper()
	return e.AnswerTo(t, Everyone, q)
}

// AnswerTo is Answer for a principal.
func (e *Engine) AnswerTo(t testing.TB, who access.Principal, q history.Query) *Collected {
	t.Helper()
	if q.To == 0 {
		q.From, q.To = instant.Min, instant.Max+1
	}
	got := NewCollected()
	require.NoError(t, e.Queries.History(t.Context(), who, q, got))
	return got
}
