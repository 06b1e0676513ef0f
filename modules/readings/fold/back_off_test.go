package fold

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// A fold that fails while the log is full is always due but for its pauses.
func TestBackOff_SpreadsTriesThatFailUpToALimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var b backOff
		require.True(t, b.due(time.Now(), true))
		require.False(t, b.due(time.Now(), false))
		tries := 0
		for range 3600 {
			if b.due(time.Now(), true) {
				tries++
				b.note(errors.New("no room"), time.Now())
			}
			time.Sleep(time.Second)
		}
		require.InDelta(t, 65, tries, 3, "an hour has one a minute, and some at the beginning")
		require.False(t, b.due(time.Now(), true))
		time.Sleep(foldAgainMost)
		require.True(t, b.due(time.Now(), false), "it is tried again although nothing else asks for it")
		b.note(nil, time.Now())
		require.False(t, b.due(time.Now(), false))
		require.True(t, b.due(time.Now(), true))
	})
}
