package filter

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"telltale/modules/auth/access"
)

// admits reports whether a filter lets a device through, as its users ask it.
func admits(f *Filter, device string) bool {
	return (f.Devices() == nil || f.Devices().Has(device)) && f.Admits(device)
}

func TestFilter_LetsThroughWhatWasAskedForAndMayBeSeen(t *testing.T) {
	t.Parallel()
	patterns := make([]string, cheapPatterns+2)
	for i := range patterns {
		patterns[i] = fmt.Sprintf("p%d-*", i)
	}
	devices := []string{"a", "b", "lab-1", "lab-2", "lab-22", "p9-x"}
	for name, c := range map[string]struct {
		asked  []string // nil for all
		sees   []string // nil for all
		want   []string
		listed bool
		few    bool
	}{
		"everything":                           {nil, nil, devices, true, false},
		"nothing":                              {[]string{}, nil, nil, true, true},
		"ids":                                  {[]string{"b", "a", "zz"}, nil, []string{"a", "b"}, true, true},
		"ids, narrowed":                        {[]string{"a", "b"}, []string{"b", "lab-1"}, []string{"b"}, true, true},
		"ids, narrowed by a pattern":           {[]string{"a", "lab-1"}, []string{"lab-*"}, []string{"lab-1"}, true, true},
		"all that credentials list":            {nil, []string{"a", "lab-1"}, []string{"a", "lab-1"}, true, true},
		"all that credentials' patterns cover": {nil, []string{"lab-2*"}, []string{"lab-2", "lab-22"}, false, false},
		"credentials that cover nothing":       {nil, []string{}, nil, true, true},
		"patterns":                             {[]string{"lab-?", "b"}, nil, []string{"b", "lab-1", "lab-2"}, false, false},
		"patterns, narrowed":                   {[]string{"lab-*"}, []string{"lab-1", "a"}, []string{"lab-1"}, false, false},
		"patterns within patterns":             {[]string{"lab-*"}, []string{"*2"}, []string{"lab-2", "lab-22"}, false, false},
		"many patterns, remembered":            {patterns, nil, []string{"p9-x"}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := New(Selection{Devices: c.asked}, nil, access.Principal{Devices: c.sees})
			for range 2 { // the second time from memory
				var got []string
				for _, device := range devices {
					if admits(&f, device) {
						got = append(got, device)
					}
				}
				require.Equal(t, c.want, got)
			}
			require.Equal(t, []bool{c.listed, c.few}, []bool{f.Listed(), f.Few()})
			require.Equal(t, c.asked == nil && c.sees == nil, f.All())
			require.True(t, f.Knows(devices), "no tags are asked for")
			require.NoError(t, f.Learn(t.Context(), devices))
		})
	}
}

func TestFilter_OfNoMetricsLetsNothingThrough(t *testing.T) {
	t.Parallel()
	none := New(Selection{Metrics: []string{}}, nil, access.Principal{})
	require.NotNil(t, none.Devices())
	require.Empty(t, none.Devices())
	some := New(Selection{Metrics: []string{"n", "m"}}, nil, access.Principal{})
	require.True(t, some.Metrics().Has("m"))
	require.False(t, some.Metrics().Has("o"))
	require.False(t, some.All())
}

func TestFilter_ConcernsStepsThatMayHaveItsDevices(t *testing.T) {
	t.Parallel()
	step := map[string]int32{"a": 0, "b": 1}
	for name, c := range map[string]struct {
		asked []string
		want  bool
	}{
		"everything":          {nil, true},
		"a pattern, perhaps":  {[]string{"x*"}, true},
		"one of them":         {[]string{"b"}, true},
		"none of them":        {[]string{"c"}, false},
		"no device":           {[]string{}, false},
		"more than the step":  {[]string{"c", "d", "e", "a"}, true},
		"more, and not these": {[]string{"c", "d", "e", "f"}, false},
	} {
		f := New(Selection{Devices: c.asked}, nil, access.Principal{})
		require.Equal(t, c.want, f.Concerns(step), name)
	}
}

func TestFilter_KeepsItsMemoryOfDevicesWithinBounds(t *testing.T) {
	t.Parallel()
	patterns := make([]string, cheapPatterns+1)
	for i := range patterns {
		patterns[i] = fmt.Sprint("*", i)
	}
	f := New(Selection{Devices: patterns}, nil, access.Principal{})
	for i := range 3 * maxSeen {
		device := fmt.Sprint("d", i)
		require.Equal(t, device[len(device)-1] != '9', f.Admits(device), device)
		require.LessOrEqual(t, len(f.seen), maxSeen)
	}
}

// tagTable is a directory of devices with their tags. It counts lookups.
type tagTable struct {
	mu      sync.Mutex
	tags    map[string][]string
	away    error
	lookups atomic.Int32
}

func (d *tagTable) Tagged(_ context.Context, tags []string) (map[string]bool, error) {
	d.lookups.Add(1)
	d.mu.Lock()
	defer d.mu.Unlock()
	found := map[string]bool{}
	for device, has := range d.tags {
		if !slices.ContainsFunc(tags, func(tag string) bool { return !slices.Contains(has, tag) }) {
			found[device] = true
		}
	}
	return found, d.away
}

func (d *tagTable) set(device string, tags ...string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.tags[device] = tags
}

func TestTagSets_AreSharedByViewersOfTheSameTags(t *testing.T) {
	t.Parallel()
	sets := NewTagSets(&tagTable{tags: map[string][]string{}})
	require.Nil(t, sets.Join(nil))
	first, second, other := sets.Join([]string{"x", "y"}), sets.Join([]string{"y", "x"}), sets.Join([]string{"x"})
	require.Same(t, first, second)
	require.NotSame(t, first, other)
	first.Leave()
	require.Same(t, second, sets.Join([]string{"x", "y"}), "one viewer is left")
	second.Leave()
	second.Leave()
	other.Leave()
	require.Empty(t, sets.sets)
}

func TestTagSet_JudgesADeviceByALookupAfterItWasMet(t *testing.T) {
	t.Parallel()
	table := &tagTable{tags: map[string][]string{"a": {"hot", "wet"}, "b": {"hot"}}}
	sets := NewTagSets(table)
	f := New(Selection{Tags: []string{"hot", "wet"}}, sets.Join([]string{"hot", "wet"}), access.Principal{})
	require.False(t, f.Listed())
	require.False(t, f.Knows([]string{"a"}))
	require.NoError(t, f.Learn(t.Context(), []string{"a", "b"}))
	require.True(t, f.Knows([]string{"b", "a"}))
	require.True(t, f.Admits("a"))
	require.False(t, f.Admits("b"))

	table.set("b", "hot", "wet")
	table.set("new", "hot", "wet")
	require.NoError(t, f.Learn(t.Context(), []string{"a", "b"}))
	require.EqualValues(t, 1, table.lookups.Load(), "what is known is not looked up again")
	require.False(t, f.Admits("b"))
	require.NoError(t, f.Learn(t.Context(), []string{"new"}))
	require.True(t, f.Admits("new"))
	require.True(t, f.Admits("b"), "a lookup is of all devices")

	table.set("a")
	require.NoError(t, sets.Refresh(t.Context()))
	require.False(t, f.Admits("a"))
}

func TestTagSet_SaysThatTheDirectoryIsAway(t *testing.T) {
	t.Parallel()
	table := &tagTable{tags: map[string][]string{}, away: errors.New("away")}
	sets := NewTagSets(table)
	f := New(Selection{Tags: []string{"x"}}, sets.Join([]string{"x"}), access.Principal{})
	require.ErrorIs(t, f.Learn(t.Context(), []string{"a"}), table.away)
	require.False(t, f.Knows([]string{"a"}))
	require.ErrorIs(t, sets.Refresh(t.Context()), table.away)
}

func TestTagSet_IsLookedUpOnceForAllThatWaitForIt(t *testing.T) {
	t.Parallel()
	table := &tagTable{tags: map[string][]string{"a": {"x"}}}
	sets := NewTagSets(table)
	set := sets.Join([]string{"x"})
	for range 3 { // each has found the device unknown, and waited for the lookup before it
		require.NoError(t, set.learn(t.Context(), []string{"a"}))
	}
	require.EqualValues(t, 1, table.lookups.Load())
	require.NoError(t, set.learn(t.Context(), nil))
	require.EqualValues(t, 2, table.lookups.Load(), "a refresh always looks")
}

func TestTagSets_AreUsedByManyAtOnce(t *testing.T) {
	t.Parallel()
	table := &tagTable{tags: map[string][]string{"a": {"x"}}}
	sets := NewTagSets(table)
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			set := sets.Join([]string{"x"})
			defer set.Leave()
			f := New(Selection{Tags: []string{"x"}}, set, access.Principal{})
			for _, device := range []string{"a", fmt.Sprint(i)} {
				if err := f.Learn(t.Context(), []string{device}); err != nil || f.Admits(device) != (device == "a") {
					t.Error(device, err)
				}
			}
			if err := sets.Refresh(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	require.Empty(t, sets.sets)
}
