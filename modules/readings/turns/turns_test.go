package turns

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/platform/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// enter begins waits, and returns where each reports its end, in the order of being served.
func enter(t *testing.T, g *Gate, user string, small bool, count int) (turns []*Turn, ended chan error) {
	ended = make(chan error, count)
	for range count {
		turn := g.Turn(user)
		turns = append(turns, turn)
		go func() { ended <- turn.Take(t.Context(), small) }()
		synctest.Wait()
	}
	return turns, ended
}

func TestGate_LeavesPlacesToOtherUsers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := New(16, 10*time.Second)
		greedy, ended := enter(t, g, "greedy", false, 40)
		require.Len(t, ended, 12, "three quarters")
		require.Equal(t, 12, g.Taken())
		// A large query of another user waits for one large permit only, a small one not at all.
		_, small := enter(t, g, "modest", true, 1)
		require.Len(t, small, 1)
		_, large := enter(t, g, "modest", false, 3)
		require.Empty(t, large)
		greedy[0].Leave()
		synctest.Wait()
		require.Len(t, large, 1)
		require.Len(t, ended, 12, "who has the fewest permits is served first")
		for _, turn := range greedy[1:12] {
			turn.Leave()
			synctest.Wait()
		}
		require.Len(t, large, 3)
		time.Sleep(11 * time.Second)
		synctest.Wait()
		require.Equal(t, 0, g.Waiting(), "a wait has an end")
	})
}

func TestGate_TellsWhoIsOverTheShareFromWhoIsNot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := New(4, 10*time.Second)
		_, first := enter(t, g, "greedy", false, 4)
		_, second := enter(t, g, "modest", false, 1)
		time.Sleep(11 * time.Second)
		synctest.Wait()
		for range 3 {
			require.NoError(t, <-first)
		}
		require.ErrorIs(t, <-first, ErrShare)
		require.ErrorIs(t, <-second, ErrFull)
	})
}

func TestGate_BoundsHowManyWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := New(1, 10*time.Second)
		_, ended := enter(t, g, "greedy", true, 2+maxWaiting)
		require.NoError(t, <-ended)
		require.ErrorIs(t, <-ended, ErrShare, "at once")
		_, modest := enter(t, g, "modest", true, 1)
		require.Empty(t, modest)
		time.Sleep(11 * time.Second)
		synctest.Wait()
		require.Len(t, ended, maxWaiting)
	})
}

func TestGate_ForgetsWhoNoLongerWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := New(1, 10*time.Second)
		holder := g.Turn("a")
		require.NoError(t, holder.Take(t.Context(), false))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- g.Turn("b").Take(ctx, true) }()
		synctest.Wait()
		cancel()
		require.ErrorIs(t, <-ended, context.Canceled)
		holder.Leave()
		holder.Leave()
		require.Zero(t, g.Taken())
		require.Empty(t, g.running)
	})
}

// A query that gave its permit back while its client did not read goes on before those of its user that have not begun.
func TestTurn_GoesOnBeforeOthersBegin(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := New(1, 10*time.Second)
		paused := g.Turn("a")
		require.NoError(t, paused.Take(t.Context(), false))
		waiting, begun := enter(t, g, "a", false, 2)
		paused.Leave()
		synctest.Wait()
		require.Len(t, begun, 1)
		resumed := make(chan error, 1)
		go func() { resumed <- paused.Again(t.Context()) }()
		synctest.Wait()
		waiting[0].Leave()
		synctest.Wait()
		require.Len(t, resumed, 1)
		require.Len(t, begun, 1)
		paused.Leave()
		waiting[0].Leave()
		synctest.Wait()
		require.Len(t, begun, 2)
		waiting[1].Leave()
	})
}

func TestTurn_BecomesLargeByWaitingAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := New(4, time.Second)
		_, large := enter(t, g, "a", false, 3)
		require.Len(t, large, 3)
		turn := g.Turn("b")
		require.NoError(t, turn.Take(t.Context(), true))
		require.NoError(t, turn.Take(t.Context(), true))
		require.ErrorIs(t, turn.Take(t.Context(), false), ErrFull)
		require.Equal(t, 3, g.Taken())
	})
}
