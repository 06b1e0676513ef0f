package budget

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBytes_AreTakenAndGivenBackOnce(t *testing.T) {
	t.Parallel()
	b := NewBytes(1000)
	free, ok := b.Take(math.MaxInt32)
	require.True(t, ok, "one user always fits")
	_, ok = b.Take(1)
	require.False(t, ok)
	free()
	free()
	require.Zero(t, b.held.Load())
}

func TestCache_KeepsToItsBudgetAndToWhatWasUsedLast(t *testing.T) {
	t.Parallel()
	c := NewCache[int, int](10)
	get := func(k int) int { return c.Get(k, 3, func() int { return k }) }
	for k := range 5 {
		require.Equal(t, k, get(k))
		require.Zero(t, get(0)) // keeps it fresh
	}
	for k, want := range []bool{true, false, false, true, true} {
		require.Equal(t, want, c.items[k] != nil, k)
	}
	get(4)
	c.Weigh(4, 100)
	require.NotNil(t, c.items[4], "the newest stays however large it is")
	c.EvictAll()
	require.Empty(t, c.items)
	require.Zero(t, c.bytes)
}
