package roster

import (
	"context"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// Against the plainest alarms that there could be: a map, looked through each time.
func TestAlarms_ComeInTheOrderOfTheirTimesAndOnce(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	a, start := NewAlarms[*member](), time.Now()
	members := make([]member, 50)
	want := map[*member]time.Time{}
	for now := range 2000 {
		m := &members[random.IntN(len(members))]
		at := start.Add(time.Duration(now + random.IntN(500)))
		switch random.IntN(4) {
		case 0:
			a.Remove(m)
			delete(want, m)
		case 1: // those that are due
			last := start
			for m, ok := a.due(start.Add(time.Duration(now))); ok; m, ok = a.due(start.Add(time.Duration(now))) {
				require.Equal(t, want[m], m.at)
				require.False(t, m.at.Before(last))
				last = m.at
				delete(want, m)
			}
			for _, at := range want {
				require.True(t, at.After(start.Add(time.Duration(now))))
			}
		default:
			a.Set(m, at)
			if old, ok := want[m]; !ok || at.Before(old) {
				want[m] = at
			}
		}
		require.Len(t, a.queue, len(want))
	}
}

// rung is what Run told of a member.
type rung struct {
	m     *member
	after time.Duration
}

func TestAlarms_RunRingsWhenItIsTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, start := NewAlarms[*member](), time.Now()
		later, sooner, removed, again := &member{}, &member{}, &member{}, &member{}
		var got []rung
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			a.Run(ctx, func(m *member, now time.Time) {
				got = append(got, rung{m, now.Sub(start)})
				if m == again && len(got) < 4 {
					a.Set(m, now.Add(time.Minute))
				}
			})
		}()
		a.Set(later, start.Add(time.Hour))
		synctest.Wait() // Run waits for that
		a.Set(sooner, start.Add(time.Second))
		a.Set(sooner, start.Add(2*time.Second)) // no sooner than it is set already
		a.Set(removed, start.Add(3*time.Second))
		a.Set(again, start.Add(time.Minute))
		a.Remove(removed)
		a.Remove(removed) // it is not there
		time.Sleep(2 * time.Hour)
		stop()
		<-ended
		require.Equal(t, []rung{
			{sooner, time.Second}, {again, time.Minute}, {again, 2 * time.Minute}, {again, 3 * time.Minute}, {later, time.Hour},
		}, got)
		_, ok := a.First()
		require.False(t, ok)
	})
}
