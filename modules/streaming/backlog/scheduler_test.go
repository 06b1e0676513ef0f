package backlog

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// order has turns with one that is taken, lets waits come in, and returns in which order their turns are given.
func order(waits ...*turn) func(t *Scheduler) []int64 {
	return func(t *Scheduler) (stamps []int64) {
		for range waits {
			t.Give()
			for _, w := range waits {
				select {
				case <-w.given:
					stamps = append(stamps, w.stamp)
				default:
				}
			}
		}
		return stamps
	}
}

func TestScheduler_GoesUpwardsThroughTheLogAndRoundAgain(t *testing.T) {
	t.Parallel()
	turns := NewScheduler(1)
	require.True(t, turns.Try())
	require.False(t, turns.Try())
	first := order(turns.wait(30, false), turns.wait(10, false), turns.wait(20, false))
	require.Equal(t, []int64{10, 20, 30}, first(turns))
	// The last turn was at 30: what is behind it waits for the next round, what is ahead of it does not.
	second := order(turns.wait(5, false), turns.wait(40, false), turns.wait(30, false), turns.wait(6, false))
	require.Equal(t, []int64{30, 40, 5, 6}, second(turns))
	turns.Give()
	require.Equal(t, 1, turns.free)
}

func TestScheduler_GivesEveryOtherTurnToThoseWhoAreNearlyThere(t *testing.T) {
	t.Parallel()
	turns := NewScheduler(1)
	require.True(t, turns.Try())
	all := order(turns.wait(1, false), turns.wait(2, false), turns.wait(3, false), turns.wait(99, true), turns.wait(98, true))
	require.Equal(t, []int64{99, 1, 98, 2, 3}, all(turns))
}

func TestScheduler_GivesNoTurnToThoseWhoHaveLeft(t *testing.T) {
	t.Parallel()
	turns := NewScheduler(1)
	require.True(t, turns.Try())
	why := errors.New("gone")
	for _, near := range []bool{false, true} {
		ctx, leave := context.WithCancelCause(t.Context())
		leave(why)
		require.ErrorIs(t, turns.Take(ctx, 1, near), why)
	}
	next := turns.wait(2, false)
	turns.Give()
	require.Len(t, next.given, 1)
	turns.Give()
	require.True(t, turns.Try())
}

// TestScheduler_NeitherLosesNorDoublesTurns has many take and give turns, and leave while they wait.
func TestScheduler_NeitherLosesNorDoublesTurns(t *testing.T) {
	t.Parallel()
	const free, workers, rounds = 3, 32, 300
	turns := NewScheduler(free)
	var atWork atomic.Int32
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			for i := range rounds {
				ctx, leave := context.WithCancel(t.Context())
				if i%3 == 0 {
					go leave() // before, while or after it waits
				}
				if turns.Take(ctx, int64(w*i%7), w%4 == 0) == nil {
					if n := atWork.Add(1); n > free {
						t.Errorf("%d at work", n)
					}
					atWork.Add(-1)
					turns.Give()
				}
				leave()
			}
		})
	}
	all.Wait()
	require.Equal(t, free, turns.free)
	for range free {
		require.True(t, turns.Try())
	}
}
