package series

import (
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/platform/glob"
	"telltale/platform/postgres/pgtest"
)

// allocated returns how many bytes a function allocates. Nothing else may run meanwhile.
func allocated(run func()) float64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	run()
	runtime.ReadMemStats(&after)
	return float64(after.TotalAlloc - before.TotalAlloc)
}

func devicesOf(t *testing.T, registry *Registry, within *glob.Set, keep func(string) bool) []string {
	ids, err := registry.Devices(t.Context(), within, keep)
	require.NoError(t, err)
	return ids
}

// What is copied stands for the time that it takes: four times as many series must not cost sixteen times as much. Not
// parallel: it measures the process.
func TestRegistry_LearnsSeriesInLinearEffort(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: the effort for thousands of series is not compared with that for few")
	}
	const few, many = 4_000, 16_000
	for name, learn := range map[string]func(states []State){
		"at once": func(states []State) { NewRegistry(nil).Add(states) },
		"in steps": func(states []State) {
			registry := NewRegistry(nil)
			for step := range slices.Chunk(states, 10) {
				registry.Add(step)
			}
		},
		"and drops them": func(states []State) {
			registry := NewRegistry(nil)
			registry.Add(states)
			registry.Drop(registry.ids())
			require.Zero(t, registry.Size())
			require.Empty(t, devicesOf(t, registry, nil, func(string) bool { return true }))
		},
	} {
		for _, of := range []struct{ few, many []State }{
			{statesOf(1, few), statesOf(1, many)},
			{statesOf(few, 1), statesOf(many, 1)},
			{statesOf(10, few/10), statesOf(10, many/10)},
		} {
			ratio := allocated(func() { learn(of.many) }) / allocated(func() { learn(of.few) })
			require.Less(t, ratio, 9.0, "%s: %s", name, of.few[0].Device)
		}
	}
}

func TestRegistry_FindsEverySeriesOfALargeDevice(t *testing.T) {
	t.Parallel()
	registry := NewRegistry(nil)
	states := statesOf(3, 5_000)
	for step := range slices.Chunk(states, 777) {
		registry.Add(step)
	}
	for _, s := range states {
		id, ok := registry.Find(s.Device, s.Metric)
		require.True(t, ok)
		require.Equal(t, s.ID, id)
		series, ok := registry.ByID(id)
		require.True(t, ok)
		require.Equal(t, s.Series, series)
	}
	for _, absent := range []string{"", "a", "metric-000000a", "zzz"} {
		_, ok := registry.Find(states[0].Device, absent)
		require.False(t, ok, absent)
	}
	device := registry.Device(states[0].Device)
	require.Len(t, device, 5_000)
	require.True(t, slices.IsSortedFunc(device, func(a, b State) int { return compareKeys(a.Metric, b.Metric) }))
	var odd []int32
	for _, s := range device {
		if s.ID%2 == 1 {
			odd = append(odd, s.ID)
		}
	}
	registry.Drop(odd)
	require.Len(t, registry.Device(states[0].Device), 5_000-len(odd))
	require.Equal(t, 15_000-len(odd), registry.Size())
}

// Who judges many devices by many patterns takes a while: nothing may wait for that.
func TestRegistry_JudgesWithoutItsLock(t *testing.T) {
	t.Parallel()
	registry := NewRegistry(nil)
	registry.Add(statesOf(2_000, 1))
	asked := 0
	free := func(string) bool {
		asked++
		if registry.mu.TryLock() {
			registry.mu.Unlock()
			return true
		}
		return false
	}
	require.Len(t, devicesOf(t, registry, nil, free), 2_000)
	ids := registry.ids()
	registry.Observe(1, time.Now(), ids, make([]int64, len(ids)), make([]float64, len(ids)))
	for _, wanted := range []Wanted{{Keep: free, After: -1}, {Keep: free, After: -1, IDs: ids}, {Keep: free, After: -1, Devices: devicesOf(t, registry, nil, free)}} {
		states, _, ok := registry.Capture(wanted, 2_000)
		require.True(t, ok)
		require.Len(t, states, 2_000)
	}
	registry.EachRetention(func(int32, int) { require.True(t, free("")) })
	require.GreaterOrEqual(t, asked, 12_000)
}

// A capture of all devices has those that come while it judges.
func TestRegistry_CapturesDevicesThatComeWhileItJudges(t *testing.T) {
	t.Parallel()
	registry := NewRegistry(nil)
	registry.Add([]State{{Series: Series{ID: 1, Device: "first", Metric: "m"}, LastTS: 1}})
	next := int32(2)
	keep := func(device string) bool {
		if next < 20 && registry.mu.TryLock() { // without the lock
			registry.mu.Unlock()
			registry.Add([]State{{Series: Series{ID: next, Device: fmt.Sprintf("then-%02d", next), Metric: "m"}, LastTS: 1}})
			next++
		}
		return device != "then-03"
	}
	states, _, ok := registry.Capture(Wanted{Keep: keep, After: -1}, 100)
	require.True(t, ok)
	require.Len(t, states, registry.Size()-1)
}

func TestRegistry_RegistersMoreThanAStep(t *testing.T) {
	t.Parallel()
	registry := NewRegistry(pgtest.New(t))
	var wanted []Name
	for i := range registerStep + 500 {
		wanted = append(wanted, Name{"gateway", fmt.Sprintf("m%05d", i)}, Name{fmt.Sprintf("d%05d", i), "m"})
	}
	missing, err := registry.Register(t.Context(), wanted, true)
	require.NoError(t, err)
	require.Empty(t, missing)
	require.Equal(t, len(wanted), registry.Size())
	missing, err = registry.Register(t.Context(), append(wanted, Name{"stranger", "m"}), false)
	require.NoError(t, err)
	require.Equal(t, []Name{{"stranger", "m"}}, missing)
	other := NewRegistry(registry.store.db)
	require.NoError(t, other.Load(t.Context()))
	require.Equal(t, registry.Size(), other.Size())
	require.Equal(t, registry.Device("gateway"), other.Device("gateway"))
}
