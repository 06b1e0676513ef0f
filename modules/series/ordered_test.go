package series

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// numbered is a value of which there may be several with the same key.
type numbered struct {
	name string
	n    int
}

func (v numbered) key() string { return v.name }

func newer(present, added numbered) numbered {
	if added.n > present.n {
		return added
	}
	return present
}

func flat(o ordered[numbered]) (all []numbered) {
	for _, block := range o {
		all = append(all, block...)
	}
	return all
}

// TestOrdered_AgreesWithAMap adds and removes at random, in steps of one and of thousands, and looks whether lists that were
// handed out before have stayed as they were.
func TestOrdered_AgreesWithAMap(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("-short: ordered lists are not compared with a map")
	}
	random := rand.New(rand.NewPCG(1, 2))
	var list ordered[numbered]
	model := map[string]int{}
	for n := range 400 {
		before, was := list, flat(list)
		some := make([]numbered, 1+random.IntN([]int{1, 10, 3_000}[n%3]))
		for i := range some {
			some[i] = numbered{strconv.Itoa(random.IntN(20_000)), random.IntN(1_000)}
		}
		slices.SortFunc(some, func(a, b numbered) int { return compareKeys(a.name, b.name) })
		if n%5 == 4 {
			list = list.without(names(some), func(v numbered) bool { _, gone := search(some, v.name); return gone })
			for _, v := range some {
				delete(model, v.name)
			}
		} else {
			list = list.with(some, newer)
			for _, v := range some {
				model[v.name] = max(model[v.name], v.n)
			}
		}
		require.Equal(t, was, flat(before), "a list that a reader may have must not change")
		require.Equal(t, len(model), list.len())
	}
	keys := slices.Sorted(maps.Keys(model))
	all := flat(list)
	require.Equal(t, keys, names(all))
	for _, v := range all {
		require.Equal(t, model[v.name], v.n)
	}
	for _, block := range list {
		require.NotEmpty(t, block)
		require.LessOrEqual(t, len(block), blockSize)
	}
	for range 1_000 {
		key := strconv.Itoa(random.IntN(30_000))
		at, _ := slices.BinarySearch(keys, key)
		require.Equal(t, keys[at:], names(flat(list.from(key))))
	}
}

func names(values []numbered) []string {
	all := []string{}
	for _, v := range values {
		all = append(all, v.name)
	}
	return all
}

func compareKeys(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
