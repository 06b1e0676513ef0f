package series

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// foreseeing is a registry of a few series with a clock of its own.
func foreseeing(series int) (r *Registry, forward func(time.Duration)) {
	now := time.UnixMilli(1_762_128_000_000)
	r = NewRegistry(nil)
	r.UseClock(func() time.Time { return now })
	var states []State
	for id := range int32(series) {
		states = append(states, State{
			Series: Series{ID: id, Device: "d", Metric: string('a' + id)}, LastTS: NoReading, ArrivedAt: NoReading, AheadTS: NoReading,
		})
	}
	r.Add(states)
	return r, func(d time.Duration) { now = now.Add(d) }
}

func (r *Registry) observe(seq int64, id int32, ahead time.Duration, value float64) (ts int64) {
	ts = r.now().Add(ahead).UnixMilli()
	r.Observe(seq, r.now(), []int32{id}, []int64{ts}, []float64{value})
	return ts
}

func TestRegistry_HasNoForecastForNewestReading(t *testing.T) {
	t.Parallel()
	r, forward := foreseeing(1)
	present := r.observe(1, 0, AheadGrace, 1)
	ahead := r.observe(2, 0, AheadGrace+time.Millisecond, 2)
	state := r.Device("d")[0]
	require.Equal(t, present, state.LastTS)
	require.InDelta(t, 1, state.LastValue, 0)
	require.EqualValues(t, 1, state.LastStamp)
	require.Equal(t, ahead, state.AheadTS)
	require.Empty(t, r.TakeDue(10))

	forward(time.Millisecond)
	due := r.TakeDue(10)
	require.Len(t, due, 1)
	require.Equal(t, ahead, due[0].Next)
	require.Equal(t, ahead, due[0].Horizon)
	require.Empty(t, r.TakeDue(10), "it is taken once")
	r.Postpone(due)
	due = r.TakeDue(10)
	require.Len(t, due, 1, "what could not be looked up stays due")
	require.Zero(t, r.Settled())
	r.Settle([]Found{{Due: due[0], Stamp: 2, TS: ahead, Value: 2, After: NoReading}})
	require.Equal(t, ahead, r.Device("d")[0].LastTS)
	require.EqualValues(t, 1, r.Settled())
	forward(48 * time.Hour)
	require.Empty(t, r.TakeDue(10), "there is nothing left ahead")
}

func TestRegistry_TakesWhatCameDuringALookupIntoAccount(t *testing.T) {
	t.Parallel()
	hour := time.Hour.Milliseconds()
	for name, c := range map[string]struct {
		meanwhile   func(r *Registry, f *Found)
		ts, after   func(f Found) int64
		value       float64
		neverTurned bool
	}{
		"nothing": {func(*Registry, *Found) {}, func(f Found) int64 { return f.TS }, nil, 7, false},
		"a newer reading": {func(r *Registry, f *Found) {
			r.Observe(9, r.now(), []int32{0}, []int64{f.TS + 1}, []float64{8})
		}, func(f Found) int64 { return f.TS + 1 }, nil, 8, true},
		"an older reading": {func(r *Registry, f *Found) {
			r.Observe(9, r.now(), []int32{0}, []int64{f.TS - 1}, []float64{8})
		}, func(f Found) int64 { return f.TS }, nil, 7, false},
		"a correction": {func(r *Registry, f *Found) {
			r.Observe(9, r.now(), []int32{0}, []int64{f.TS}, []float64{8})
		}, func(f Found) int64 { return f.TS }, nil, 8, true},
		"a forecast": {func(r *Registry, f *Found) {
			f.After = f.Horizon + 2*hour
			r.Observe(9, r.now(), []int32{0}, []int64{f.Horizon + hour}, []float64{8})
		}, func(f Found) int64 { return f.TS }, func(f Found) int64 { return f.Horizon + hour }, 7, false},
		"a later forecast": {func(r *Registry, f *Found) {
			f.After = f.Horizon + hour
			r.Observe(9, r.now(), []int32{0}, []int64{f.Horizon + 2*hour}, []float64{8})
		}, func(f Found) int64 { return f.TS }, func(f Found) int64 { return f.Horizon + hour }, 7, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, forward := foreseeing(1)
			ts := r.observe(1, 0, time.Hour, 7)
			forward(2 * time.Hour)
			due := r.TakeDue(10)
			require.Len(t, due, 1)
			f := Found{Due: due[0], Stamp: 1, TS: ts, Value: 7, After: NoReading}
			c.meanwhile(r, &f)
			r.Settle([]Found{f})
			state := r.Device("d")[0]
			require.Equal(t, c.ts(f), state.LastTS)
			require.InDelta(t, c.value, state.LastValue, 0)
			ids, ok := r.SettledSince(1)
			require.True(t, ok)
			require.Equal(t, c.neverTurned, len(ids) == 0)
			if c.after != nil {
				forward(24 * time.Hour)
				require.Equal(t, c.after(f), r.TakeDue(10)[0].Next)
			}
		})
	}
}

func TestRegistry_LooksAsFarAheadAsThereIsLittle(t *testing.T) {
	t.Parallel()
	r, forward := foreseeing(1)
	r.observe(1, 0, time.Hour, 1)
	r.observe(1, 0, 30*24*time.Hour, 2)
	forward(time.Hour)
	widest := int64(0)
	for range 40 {
		due := r.TakeDue(1)
		if len(due) == 0 {
			forward(time.Hour)
			continue
		}
		ahead := due[0].Until - due[0].Horizon - 1
		require.GreaterOrEqual(t, ahead, widest)
		widest = max(widest, ahead)
		r.Settle([]Found{{Due: due[0], TS: NoReading, After: NoReading}})
		forward(time.Duration(ahead) * time.Millisecond)
	}
	require.Equal(t, longestAhead, widest)
}

func TestRegistry_ForgetsTheForecastsOfWhatIsDropped(t *testing.T) {
	t.Parallel()
	r, forward := foreseeing(2)
	r.observe(1, 0, time.Hour, 1)
	r.observe(1, 1, time.Hour, 1)
	r.Drop([]int32{0})
	forward(2 * time.Hour)
	due := r.TakeDue(10)
	require.Len(t, due, 1)
	r.Drop([]int32{1})
	r.Postpone(due)
	require.Empty(t, r.TakeDue(10))
	r.Settle([]Found{{Due: due[0], TS: 1, Value: 1, After: 5}})
	require.Empty(t, r.TakeDue(10))
}

// Each earlier forecast moves the appointment of its series.
func TestRegistry_KeepsItsAgendaSmall(t *testing.T) {
	t.Parallel()
	r, _ := foreseeing(3)
	const readings = 100_000
	ids, ts := make([]int32, readings), make([]int64, readings)
	for i := range ids {
		ids[i], ts[i] = int32(i%3), r.now().UnixMilli()+int64(1e10)-int64(i)
	}
	r.Observe(1, r.now(), ids, ts, make([]float64, readings))
	require.LessOrEqual(t, len(r.agenda), 2*3+keptSettlements)
	require.Len(t, r.forecasts, 3)
}

func TestRegistry_TellsWhichSeriesHaveTurned(t *testing.T) {
	t.Parallel()
	r, _ := foreseeing(2)
	for n := range int64(3 * keptSettlements) {
		r.Settle([]Found{{Due: Due{ID: int32(n % 2)}, TS: n, Value: 1, After: NoReading}})
	}
	require.LessOrEqual(t, len(r.settlements), 2*keptSettlements)
	_, ok := r.SettledSince(1)
	require.False(t, ok, "that was too long ago")
	ids, ok := r.SettledSince(r.Settled() - 1)
	require.True(t, ok)
	require.Equal(t, []int32{1, 0}, ids)
	ids, ok = r.SettledSince(r.Settled() + 1)
	require.True(t, ok)
	require.Empty(t, ids)
}
