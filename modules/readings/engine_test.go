package readings_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/config"
	"telltale/modules/readings/history"
	"telltale/modules/readings/readingstest"
	"telltale/platform/postgres"
	"telltale/platform/postgres/pgtest"
)

var everyone = readingstest.Everyone

// foldLockKey is the key of the advisory lock that a fold takes.
const foldLockKey = 0x74656c6c_0002

const (
	setClosed    = `UPDATE log_state SET closed_until = $1`
	setRetention = `UPDATE log_state SET retention_days = $1 WHERE retention_days <> $1`
)

type collected = readingstest.Collected

// engine is an instance whose service works with what a test puts in place of its parts.
type engine struct{ *readingstest.Engine }

func engineOf(e *readingstest.Engine) *engine {
	e.Changed = func() { e.Use(e.Queries, e.Runner, e.Retention) }
	return &engine{e}
}

// startEngine, newEngine, newEngineAt and beginEngineAt are those of readingstest.
func startEngine(t testing.TB, db *postgres.DB, change ...func(*config.Readings)) *engine {
	t.Helper()
	return engineOf(readingstest.Start(t, db, change...))
}

func newEngine(t testing.TB, db *postgres.DB, change ...func(*config.Readings)) (e *engine, stop func()) {
	t.Helper()
	return newEngineAt(t, db, time.Now, change...)
}

func newEngineAt(t testing.TB, db *postgres.DB, now func() time.Time, change ...func(*config.Readings)) (e *engine, stop func()) {
	t.Helper()
	started, stop := readingstest.NewAt(t, db, now, change...)
	return engineOf(started), stop
}

func beginEngineAt(t testing.TB, db *postgres.DB, now func() time.Time, change ...func(*config.Readings)) (e *engine, stop func()) {
	t.Helper()
	started, stop := readingstest.BeginAt(t, db, now, change...)
	return engineOf(started), stop
}

func TestHistory_HoldsAReadingBeforeAndAfterTheFold(t *testing.T) {
	t.Parallel()
	e := startEngine(t, pgtest.New(t))
	seq := e.Post(t, `{"readings":[
		{"device":"a","ts":1000,"values":{"temperature":1.5,"humidity":40}},
		{"device":"b","ts":3600000,"values":{"temperature":2}},
		{"device":"a","ts":3600500,"values":{"temperature":3}}]}`)
	want := map[string][][]float64{
		"a/humidity": {{1000, 40}}, "a/temperature": {{1000, 1.5}, {3600500, 3}}, "b/temperature": {{3600000, 2}},
	}
	before := e.Answer(t, history.Query{})
	require.Equal(t, want, before.Rows)
	require.Equal(t, seq, before.Seq)
	require.Equal(t, []string{"a/humidity", "a/temperature", "b/temperature"}, before.Order)

	e.FoldAll(t)
	require.Equal(t, want, e.Answer(t, history.Query{}).Rows)

	e.Post(t, `{"readings":[{"device":"a","ts":1000,"values":{"temperature":9}},{"device":"a","ts":500,"values":{"temperature":8}}]}`)
	want["a/temperature"] = [][]float64{{500, 8}, {1000, 9}, {3600500, 3}}
	require.Equal(t, want, e.Answer(t, history.Query{}).Rows)
	e.FoldAll(t)
	require.Equal(t, want, e.Answer(t, history.Query{}).Rows)
}
