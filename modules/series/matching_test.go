package series

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"telltale/platform/glob"
)

func TestRegistry_FindsDevicesByPatternsAndIDs(t *testing.T) {
	t.Parallel()
	registry := NewRegistry(nil)
	states := statesOf(1_500, 1)
	for i := range states {
		states[i].Device = fmt.Sprintf("%s-%03d", []string{"lab", "lab-b", "roof"}[i%3], i)
	}
	registry.Add(states)
	all := devicesOf(t, registry, nil, func(string) bool { return true })
	require.Len(t, all, 1_500)
	require.True(t, slices.IsSorted(all))
	for _, wanted := range [][]string{
		{"lab-*"},
		{"lab*", "lab-b*"},
		{"*-7?"},
		{"roof-00[0-9]", "lab-000"},
		{"lab-000", "stranger", "lab-b-*"},
		{"*"},
		{"nothing*"},
		{},
		{"*1*2*"},
		{"roof-00[0-9]", "lab-b-001", "lab-*"},
		{"lab-000", "lab-b-001"},
	} {
		set := glob.NewSet(wanted)
		var expected []string
		for _, id := range all {
			if set.Has(id) && !strings.HasSuffix(id, "5") {
				expected = append(expected, id)
			}
		}
		asked := 0
		found := devicesOf(t, registry, set, func(id string) bool { asked++; return !strings.HasSuffix(id, "5") })
		require.ElementsMatch(t, expected, found, "%q", wanted)
		require.True(t, slices.IsSorted(found), "%q", wanted)
		require.LessOrEqual(t, asked, 1_500)
	}
}

// A search among many devices ends with its context: a limit on its time, or a client that has gone.
func TestRegistry_EndsASearchWithItsContext(t *testing.T) {
	t.Parallel()
	registry := NewRegistry(nil)
	registry.Add(statesOf(5_000, 1))
	ctx, cancel := context.WithCancel(t.Context())
	asked := 0
	_, err := registry.Devices(ctx, glob.NewSet([]string{"*"}), func(string) bool { asked++; cancel(); return true })
	require.ErrorIs(t, err, context.Canceled)
	require.LessOrEqual(t, asked, 2*blockSize)
}

// BenchmarkRegistry_Matches looks 100 patterns up among 100,000 devices.
func BenchmarkRegistry_Matches(b *testing.B) {
	registry := NewRegistry(nil)
	registry.Add(statesOf(100_000, 1))
	for name, pattern := range map[string]string{"prefix": "device-00%02d*", "stars": strings.Repeat("*e", 22) + "*%02d", "suffix": "*%02d"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				for i := range 100 {
					_, err := registry.Devices(b.Context(), glob.NewSet([]string{fmt.Sprintf(pattern, i)}), func(string) bool { return false })
					require.NoError(b, err)
				}
			}
		})
	}
}
