package readings_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/modules/readings/chunk"
	"telltale/modules/readings/deletion"
	"telltale/modules/readings/history"
	"telltale/platform/postgres"
	"telltale/platform/postgres/pgtest"
)

// almanac is a database with instances that live by one clock.
type almanac struct {
	db      *postgres.DB
	clock   atomic.Int64
	engines []*engine
	stops   []func()
}

const forecastStart = int64(1_793_491_200_000) // a full hour

func newAlmanac(t *testing.T, instances int) *almanac {
	t.Helper()
	a := &almanac{db: pgtest.New(t)}
	a.clock.Store(forecastStart)
	for range instances {
		a.start(t)
	}
	t.Cleanup(func() {
		for _, stop := range a.stops {
			stop()
		}
	})
	return a
}

func (a *almanac) start(t *testing.T) {
	t.Helper()
	e, stop := newEngineAt(t, a.db, func() time.Time { return chunk.UTC(a.clock.Load()) })
	a.engines, a.stops = append(a.engines, e), append(a.stops, stop)
}

// restart restarts every instance.
func (a *almanac) restart(t *testing.T) {
	t.Helper()
	n := len(a.engines)
	for _, stop := range a.stops {
		stop()
	}
	a.engines, a.stops = nil, nil
	for range n {
		a.start(t)
	}
}

// put stores a reading of a/m at an hour from the start.
func (a *almanac) put(t *testing.T, hours int64, value float64) {
	t.Helper()
	a.engines[0].Post(t, `{"readings":[{"device":"a","ts":%d,"values":{"m":%v}}]}`, forecastStart+hours*chunk.Hour, value)
}

// erase deletes the reading at an hour from the start.
func (a *almanac) erase(t *testing.T, hours int64) {
	t.Helper()
	at := forecastStart + hours*chunk.Hour
	_, err := a.engines[0].Delete(t.Context(), everyone, deletion.Request{Devices: []string{"a"}, From: at, To: at + 1})
	require.NoError(t, err)
}

// requireLatest asks every instance for the newest reading of a/m, at an hour after the start; nil is none.
func (a *almanac) requireLatest(t *testing.T, hours int64, value *float64) {
	t.Helper()
	for _, e := range a.engines {
		require.NoError(t, e.Tail.Reach(t.Context()))
		require.NoError(t, e.Forecasts.Settle(t.Context()))
		states, err := e.Queries.Latest(t.Context(), everyone, history.Selection{})
		require.NoError(t, err)
		if value == nil {
			require.Empty(t, states)
			continue
		}
		require.Len(t, states, 1)
		require.Equal(t, hours, (states[0].LastTS-forecastStart)/chunk.Hour)
		require.InDelta(t, *value, states[0].LastValue, 0)
	}
}

func (a *almanac) at(hours int64) { a.clock.Store(forecastStart + hours*chunk.Hour) }

func TestForecast_BecomesTheNewestReadingWhenItsTimeComes(t *testing.T) {
	t.Parallel()
	some := func(v float64) *float64 { return &v }
	for name, c := range map[string]func(t *testing.T, a *almanac, between func()){
		"one after the other": func(t *testing.T, a *almanac, between func()) {
			a.put(t, 0, 1)
			for h := int64(48); h > 0; h-- {
				a.put(t, h, float64(h)+1)
			}
			between()
			for h := range int64(49) {
				a.at(h)
				a.requireLatest(t, h, some(float64(h)+1))
			}
		},
		"many at once": func(t *testing.T, a *almanac, between func()) {
			a.put(t, 0, 1)
			a.put(t, 300, 3)
			a.put(t, 5, 2)
			a.put(t, 9000, 4)
			between()
			a.requireLatest(t, 0, some(1))
			a.at(310)
			between()
			a.requireLatest(t, 300, some(3))
			a.at(9001)
			a.requireLatest(t, 9000, some(4))
		},
		"no reading before": func(t *testing.T, a *almanac, between func()) {
			a.put(t, 2, 1)
			between()
			a.requireLatest(t, 0, nil)
			a.at(3)
			a.requireLatest(t, 2, some(1))
		},
		"correction of a forecast": func(t *testing.T, a *almanac, between func()) {
			a.put(t, 0, 1)
			a.put(t, 2, 2)
			between()
			a.put(t, 2, 3)
			between()
			a.at(2)
			a.requireLatest(t, 2, some(3))
			a.put(t, 2, 4)
			between()
			a.requireLatest(t, 2, some(4))
		},
		"a late reading does not hide it": func(t *testing.T, a *almanac, between func()) {
			a.put(t, 0, 1)
			a.put(t, 4, 2)
			between()
			a.at(5)
			a.put(t, 3, 9)
			between()
			a.requireLatest(t, 4, some(2))
		},
		"a clock of 2099": func(t *testing.T, a *almanac, between func()) {
			a.put(t, 0, 1)
			a.put(t, 24*365*70, 99)
			between()
			a.requireLatest(t, 0, some(1))
			a.at(1)
			a.put(t, 1, 2)
			between()
			a.requireLatest(t, 1, some(2))
		},
		"a forecast that is deleted": func(t *testing.T, a *almanac, between func()) {
			a.put(t, 0, 1)
			a.put(t, 2, 2)
			between()
			a.erase(t, 2)
			between()
			a.at(3)
			a.requireLatest(t, 0, some(1))
		},
		"a deletion of what is newest": func(t *testing.T, a *almanac, between func()) {
			a.put(t, 0, 1)
			a.put(t, 2, 2)
			a.put(t, 9, 3)
			a.at(2)
			a.requireLatest(t, 2, some(2))
			a.erase(t, 2)
			between()
			a.requireLatest(t, 0, some(1))
			a.at(10)
			a.requireLatest(t, 9, some(3))
		},
		"a device that is deleted": func(t *testing.T, a *almanac, between func()) {
			a.put(t, 0, 1)
			a.put(t, 2, 2)
			between()
			require.NoError(t, a.engines[0].DeleteDevice(t.Context(), "a"))
			between()
			a.at(3)
			a.requireLatest(t, 0, nil)
			a.put(t, 1, 5)
			a.requireLatest(t, 1, some(5))
		},
	} {
		for way, between := range map[string]func(t *testing.T, a *almanac){
			"in the window":   func(*testing.T, *almanac) {},
			"folded":          func(t *testing.T, a *almanac) { a.engines[0].FoldAll(t) },
			"after a restart": func(t *testing.T, a *almanac) { a.restart(t) },
			"folded, and after a restart": func(t *testing.T, a *almanac) {
				a.engines[0].FoldAll(t)
				a.restart(t)
			},
		} {
			t.Run(name+" "+way, func(t *testing.T) {
				t.Parallel()
				a := newAlmanac(t, 2)
				c(t, a, func() { between(t, a) })
			})
		}
	}
}

// Versions before this one had series.last_ts ahead of now, and nothing of what was before it.
func TestForecast_ThatAnOlderVersionTookForTheNewestReadingIsMended(t *testing.T) {
	t.Parallel()
	a := newAlmanac(t, 1)
	a.put(t, -24*400, 1)
	a.put(t, 24*365*70, 99)
	a.engines[0].FoldAll(t)
	_, err := a.db.Exec(t.Context(), `UPDATE series SET last_ts = ahead_ts, last_value = 99, ahead_ts = NULL, arrived_at = NULL`)
	require.NoError(t, err)
	a.restart(t)
	one, two := 1.0, 2.0
	a.requireLatest(t, -24*400, &one)
	a.put(t, -1, 2)
	a.engines[0].FoldAll(t)
	a.requireLatest(t, -1, &two)
	a.restart(t)
	a.requireLatest(t, -1, &two)
	var kept bool
	require.NoError(t, a.db.QueryRow(t.Context(), `SELECT last_ts < ahead_ts FROM series`).Scan(&kept))
	require.True(t, kept)
}

// A deletion that is not carried out yet hides readings of one series from a lookup of several, which do not end at once.
func TestForecast_IsNotHiddenByADeletionOfAnotherSeries(t *testing.T) {
	t.Parallel()
	a := newAlmanac(t, 1)
	e := a.engines[0]
	e.Post(t, `{"readings":[{"device":"a","ts":%[1]d,"values":{"m":1}},{"device":"a","ts":%[2]d,"values":{"m":2}},
		{"device":"b","ts":%[1]d,"values":{"m":3}}]}`, forecastStart+2*chunk.Hour, forecastStart+10*chunk.Hour)
	_, _, err := e.Mark(t.Context(), deletion.Request{Devices: []string{"a"}, From: forecastStart + chunk.Hour, To: forecastStart + 3*chunk.Hour})
	require.NoError(t, err)
	require.NoError(t, e.Tail.Reach(t.Context()))
	a.at(10)
	require.NoError(t, e.Forecasts.Settle(t.Context()))
	states, err := e.Queries.Latest(t.Context(), everyone, history.Selection{})
	require.NoError(t, err)
	var values []float64
	for _, s := range states {
		values = append(values, s.LastValue)
	}
	require.Equal(t, []float64{2, 3}, values)
}

func TestForecast_IsLookedUpLaterWhenTheDatabaseFails(t *testing.T) {
	t.Parallel()
	a := newAlmanac(t, 1)
	e := a.engines[0]
	a.put(t, 0, 1)
	a.put(t, 2, 2)
	e.FoldAll(t)
	_, err := a.db.Exec(t.Context(), `ALTER TABLE reading_chunks RENAME TO reading_chunks_away`)
	require.NoError(t, err)
	a.at(2)
	require.Error(t, e.Forecasts.Settle(t.Context()))
	_, err = a.db.Exec(t.Context(), `ALTER TABLE reading_chunks_away RENAME TO reading_chunks`)
	require.NoError(t, err)
	two := 2.0
	a.requireLatest(t, 2, &two)
}

func TestArrival_IsKnownAfterAFoldAndARestart(t *testing.T) {
	t.Parallel()
	a := newAlmanac(t, 2)
	before := time.Now().Add(-time.Minute).UnixMilli() // the server's clock may differ a little
	a.put(t, -9000, 1)
	for _, again := range []func(){func() {}, func() { a.engines[0].FoldAll(t) }, func() { a.restart(t) }} {
		again()
		for _, e := range a.engines {
			require.NoError(t, e.Tail.Reach(t.Context()))
			seen, ok := e.Registry.LastSeen("a")
			require.True(t, ok)
			require.Greater(t, seen, before)
		}
	}
	seen, _ := a.engines[0].Registry.LastSeen("a")
	a.put(t, -9001, 1) // is late, and has arrived all the same
	a.engines[0].FoldAll(t)
	a.restart(t)
	again, _ := a.engines[0].Registry.LastSeen("a")
	require.Greater(t, again, seen)
}
