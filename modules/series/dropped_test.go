package series

import (
	"testing"

	"github.com/stretchr/testify/require"

	"telltale/platform/fault"
)

// A device may be deleted and made again before the registry hears of either from the log, and hears of them in any order.
func TestRegistry_ADroppedSeriesStaysDropped(t *testing.T) {
	t.Parallel()
	old, young := State{Series: Series{ID: 3, Device: "a", Metric: "m"}}, State{Series: Series{ID: 7, Device: "a", Metric: "m"}}
	knows := func(r *Registry, id int32) {
		t.Helper()
		found, ok := r.Find("a", "m")
		require.Equal(t, id != 0, ok)
		require.Equal(t, id, found)
	}
	r := NewRegistry(nil)
	r.Add([]State{old})
	r.Add([]State{young})
	knows(r, 7)
	r.Drop([]int32{3})
	knows(r, 7)
	r.Add([]State{old})
	knows(r, 7)
	r.Drop([]int32{7})
	knows(r, 0)
	require.Empty(t, r.Device("a"))
	r.Add([]State{young})
	knows(r, 0)

	r = NewRegistry(nil)
	r.Drop([]int32{7})
	r.Add([]State{young})
	knows(r, 0)
	r.Add([]State{{Series: Series{ID: 9, Device: "a", Metric: "m"}}})
	r.Add([]State{{Series: Series{ID: 8, Device: "a", Metric: "m"}}})
	knows(r, 9)
}

func TestRegistry_NoMoreSeriesAreRegisteredThanAllowed(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.registry.Limit(2)
	_, err := f.registry.Register(t.Context(), []Name{{"a", "m"}, {"a", "n"}}, true)
	require.NoError(t, err)
	_, err = f.registry.Register(t.Context(), []Name{{"b", "m"}}, true)
	require.Equal(t, fault.Invalid, fault.KindOf(err))
	require.ErrorContains(t, err, "MAX_SERIES")
	id, _ := f.registry.Find("a", "n")
	f.registry.Drop([]int32{id})
	_, err = f.registry.Register(t.Context(), []Name{{"b", "m"}}, true)
	require.NoError(t, err)
}
