package readings

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"

	"telltale/config"
	"telltale/modules/auth"
	"telltale/modules/devices"
	"telltale/modules/readings/payload"
	"telltale/platform/postgres"
	"telltale/platform/postgres/pgtest"
)

// everyone may do everything.
var everyone = auth.Principal{Subject: "test", Scopes: []auth.Scope{auth.Admin}}

var testLimits = config.Readings{
	MaxQueuedReadings: 1 << 20, MaxUnfoldedReadings: 1 << 20, FoldReadings: 1 << 30, FoldInterval: time.Hour,
	WindowBytes: 1 << 20, LogRetention: time.Hour, QueryTimeout: time.Minute, QueryMaxPoints: 1 << 20,
}

// engine is one instance: every part of the package, running on a database.
type engine struct {
	*Service
}

// startEngine starts an instance that folds only when told to. It ends with the test.
func startEngine(t testing.TB, db *postgres.DB, change ...func(*config.Readings)) *engine {
	t.Helper()
	e, stop := newEngine(t, db, change...)
	t.Cleanup(stop)
	return e
}

// newEngine starts an instance that ends by stop.
func newEngine(t testing.TB, db *postgres.DB, change ...func(*config.Readings)) (e *engine, stop func()) {
	t.Helper()
	limits := testLimits
	for _, c := range change {
		c(&limits)
	}
	logger := zaptest.NewLogger(t, zaptest.Level(zap.WarnLevel))
	registry := devices.NewRegistry(db)
	log, window := NewLog(db), NewWindow(limits.WindowBytes)
	tail := NewTail(db, log, window, registry, logger)
	appender := NewAppender(log, tail, registry, limits.MaxQueuedReadings, logger)
	folder := NewFolder(db, log, tail, window, limits, logger)
	ctx := context.Background()
	require.NoError(t, tail.Start(ctx))
	require.NoError(t, appender.Start(ctx))
	stop = func() {
		require.NoError(t, appender.Stop(ctx))
		require.NoError(t, tail.Stop(ctx))
	}
	<-tail.Loaded()
	return &engine{NewService(db, log, tail, window, appender, folder, registry, limits, 4)}, stop
}

// post ingests a body of JSON and returns its seq.
func (e *engine) post(t testing.TB, format string, args ...any) int64 {
	t.Helper()
	receipt, err := e.Ingest(t.Context(), everyone, payload.Request{
		ContentType: "application/json", Data: fmt.Appendf(nil, format, args...), MaxBytes: 1 << 20, Now: time.Now(),
	}, false)
	require.NoError(t, err)
	return receipt.Seq
}

// fold moves everything into chunks.
func (e *engine) fold(t testing.TB) {
	t.Helper()
	require.NoError(t, e.folder.Fold(t.Context()))
}

// history returns the answer to a query for everything that everyone may see, as plain data.
func (e *engine) history(t testing.TB, q Query) *collected {
	t.Helper()
	return e.historyOf(t, everyone, q)
}

func (e *engine) historyOf(t testing.TB, who auth.Principal, q Query) *collected {
	t.Helper()
	if q.To == 0 {
		q.From, q.To = payload.MinTS, payload.MaxTS+1
	}
	got := &collected{points: map[string][][]float64{}}
	require.NoError(t, e.History(t.Context(), who, q, got))
	return got
}

// collected is an answer in memory: by "device/metric" rows of ts and values.
type collected struct {
	seq     int64
	order   []string
	points  map[string][][]float64
	current string
	next    *Cursor
	ended   bool

	have    string // the version that need not be answered again
	version string
	query   Query // as it was answered
	plan    Plan
}

func (c *collected) Plan(q Query, plan Plan) error {
	c.query, c.plan = q, plan
	if c.have != "" && plan.Version == c.have {
		return errNotModified
	}
	return nil
}

func (c *collected) Begin(seq int64, version string) error {
	c.seq, c.version = seq, version
	return nil
}

func (c *collected) Series(s devices.Series) error {
	c.current = s.Device + "/" + s.Metric
	c.order = append(c.order, c.current)
	return nil
}

func (c *collected) Points(ts []int64, value []float64) error {
	for i := range ts {
		c.points[c.current] = append(c.points[c.current], []float64{float64(ts[i]), value[i]})
	}
	return nil
}

func (c *collected) Bucket(ts int64, aggregates []float64) error {
	c.points[c.current] = append(c.points[c.current], append([]float64{float64(ts)}, aggregates...))
	return nil
}

func (c *collected) End(next *Cursor) error { c.next, c.ended = next, true; return nil }

func TestAReadingIsInHistoryBeforeAndAfterTheFold(t *testing.T) {
	t.Parallel()
	e := startEngine(t, pgtest.New(t))
	seq := e.post(t, `{"readings":[
		{"device":"a","ts":1000,"values":{"temperature":1.5,"humidity":40}},
		{"device":"b","ts":3600000,"values":{"temperature":2}},
		{"device":"a","ts":3600500,"values":{"temperature":3}}]}`)
	want := map[string][][]float64{
		"a/humidity": {{1000, 40}}, "a/temperature": {{1000, 1.5}, {3600500, 3}}, "b/temperature": {{3600000, 2}},
	}
	before := e.history(t, Query{})
	require.Equal(t, want, before.points)
	require.Equal(t, seq, before.seq)
	require.Equal(t, []string{"a/humidity", "a/temperature", "b/temperature"}, before.order)

	e.fold(t)
	require.Equal(t, want, e.history(t, Query{}).points)

	e.post(t, `{"readings":[{"device":"a","ts":1000,"values":{"temperature":9}},{"device":"a","ts":500,"values":{"temperature":8}}]}`)
	want["a/temperature"] = [][]float64{{500, 8}, {1000, 9}, {3600500, 3}}
	require.Equal(t, want, e.history(t, Query{}).points)
	e.fold(t)
	require.Equal(t, want, e.history(t, Query{}).points)
}
