package health_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/platform/health"
)

func TestTrouble_TellsSinceWhenAndWhatIsNews(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var trouble health.Trouble
		broken, stalled := errors.New("broken"), errors.New("stalled")
		check := func() error { return trouble.Err(time.Second, stalled) }
		require.NoError(t, check())
		require.False(t, trouble.Note(nil))

		began := time.Now()
		trouble.Begin()
		time.Sleep(time.Second)
		require.NoError(t, check(), "a try may take a second")
		time.Sleep(time.Second)
		require.ErrorIs(t, check(), stalled)
		require.True(t, trouble.Note(broken))
		time.Sleep(time.Minute)
		require.False(t, trouble.Note(broken), "it is no news that it still fails")
		failing, ok := errors.AsType[*health.Failing](check())
		require.True(t, ok)
		require.Equal(t, began, failing.Since)
		require.ErrorIs(t, failing, broken)

		require.True(t, trouble.Note(nil))
		require.NoError(t, check())
	})
}
