package series

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRegistry_ALongListOfMetricsSelectsWhatAShortOneDoes(t *testing.T) {
	t.Parallel()
	r := NewRegistry(nil)
	states := make([]State, 0, 100)
	for k := range cap(states) {
		states = append(states, State{
			Series: Series{ID: int32(k + 1), Device: fmt.Sprint("d", k/10), Metric: fmt.Sprint("m", k%10)}, LastTS: int64(k),
		})
	}
	r.Add(states)
	short := []string{"m2", "m7"}
	long := append([]string{}, short...)
	for k := range 10_000 {
		long = append(long, fmt.Sprint("absent-", k))
	}
	devices := make([]string, 10_000) // there is no memory for as many series as devices times metrics
	for k := range devices {
		devices[k] = fmt.Sprint("d", k)
	}
	want := r.Select(devices, short)
	require.Len(t, want, 20)
	require.Equal(t, want, r.Select(devices, long))
	for _, metrics := range [][]string{short, long} {
		got, _, ok := r.Capture(Wanted{Devices: devices, Metrics: metrics, After: -1}, 20)
		require.True(t, ok)
		require.Equal(t, want, got)
	}
	require.Len(t, r.Select(devices, nil), len(states))
}
