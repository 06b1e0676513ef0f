//go:build soak

package streaming

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"telltale/platform/httpserver/httpservertest"
	"telltale/platform/leak"
	"telltale/platform/postgres/pgtest"
)

// soakTime is how long the soak lasts, unless SOAK_TIME says otherwise.
const soakTime = 10 * time.Minute

// soakViewers is how many clients of each kind come and go.
const soakViewers = 5

const (
	// soakWindow and soakCaches are the limits of what the program keeps of the log in memory, small so that all of it is
	// full, and from then on memory has no reason to grow, after some seconds.
	soakWindow = 256 << 10
	soakCaches = 1 << 20
	// soakFilling is how long the caches have until they are full.
	soakFilling = 20 * time.Second
	// soakTolerance is by how many bytes two medians of the memory in use may differ. It is far below what the smallest of
	// leaks comes to: 16 bytes a batch or 256 bytes a stream are megabytes after ten minutes.
	soakTolerance = 512 << 10
)

// Viewers of every kind come, stay, dawdle and go while readings are posted, folded and dropped. Once window and caches are
// full, the memory in use stays what it is: the median of the last third is that of the first third. At the end no viewer
// has missed anything, and no goroutine is left.
func TestSoak_MemoryStaysWhatItIs(t *testing.T) {
	lasting := soakTime
	if text := os.Getenv("SOAK_TIME"); text != "" {
		var err error
		lasting, err = time.ParseDuration(text)
		require.NoError(t, err)
	}
	db := pgtest.New(t)
	existing := goleak.IgnoreCurrent()
	i := start(t, db, func(o *options) { o.window, o.caches, o.slowAfter = soakWindow, soakCaches, time.Second })
	i.tag(t, "d1", "hot")
	var ending atomic.Bool
	var working sync.WaitGroup
	for k, query := range []string{
		"", "device=d*", "device=d1&metric=m", "tag=hot", "snapshot=true", "every=1s", "every=1s&snapshot=true&device=d1",
		"slow=coalesce", "slow=gap", "slow=disconnect", "since=-10s",
		"interval=1s&agg=avg&device=d1",
	} {
		for n := range soakViewers {
			working.Go(func() { i.visit(t, query, rand.New(rand.NewPCG(uint64(k), uint64(n))), &ending) })
		}
	}
	var whole atomic.Int64
	working.Go(func() { i.followAll(t, &ending, &whole) })

	steady := i.soak(t, lasting)
	require.Eventually(t, func() bool { return whole.Load() == i.feed.Head() }, time.Minute, time.Millisecond, "a viewer has missed something")
	ending.Store(true)
	i.stop()
	working.Wait()
	require.Zero(t, i.hub.viewers())
	requireEmpty(t, i.hub.digests)
	require.False(t, i.followsTags(t))
	require.NoError(t, leak.Find(existing, httpservertest.IgnoreClock()))

	third := len(steady) / 3
	require.Greater(t, third, 10, "the soak was too short to tell whether memory grows")
	first, last := median(steady[:third]), median(steady[len(steady)-third:])
	t.Logf("%d batches; memory in use %d KiB in the first third, %d KiB in the last, medians of %d samples each",
		i.feed.Head(), first>>10, last>>10, third)
	require.Less(t, last, first+soakTolerance, "memory grows: %v", steady)
}

// soak posts and folds for so long. It returns the memory in use, once a second since everything that has a limit is full.
func (i *instance) soak(t *testing.T, lasting time.Duration) (steady []int64) {
	began := time.Now()
	streams := 0
	for n, folded := 0, began; time.Since(began) < lasting; n++ {
		// A reading a second: the rest are corrections, since the chunk of the hour, which folds and queries hold while they
		// last, would grow and grow.
		device, ts := fmt.Sprint("d", n%10), time.Now().Truncate(time.Second).UnixMilli()
		i.post(t, datum{device, "m", ts, float64(n)}, datum{device, "n", ts, float64(n)})
		time.Sleep(2 * time.Millisecond) // a pace, not a wait
		if time.Since(folded) < time.Second {
			continue
		}
		i.FoldAll(t)
		streams += len(i.logs.TakeAll()) // which would be kept
		if time.Since(began) > soakFilling && i.full() {
			steady = append(steady, memoryInUse())
		}
		folded = time.Now()
	}
	t.Logf("%d streams have ended; steady for %d of %s", streams, len(steady), lasting)
	return steady
}

// full reports whether the window holds as much as it ever does. The caches hold more than that by soakFilling.
func (i *instance) full() bool { return i.Window.Stats().Bytes > soakWindow*9/10 }

// memoryInUse returns what the living objects of the heap and the stacks hold. The second collection empties what pools had
// kept from the first.
func memoryInUse() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

func median(values []int64) int64 { return slices.Sorted(slices.Values(values))[len(values)/2] }

// visit opens streams, one after the other, reads some events, now and then slowly, and closes them or is closed.
func (i *instance) visit(t *testing.T, query string, random *rand.Rand, ending *atomic.Bool) {
	lastID := ""
	for !ending.Load() {
		s, err := dial(i.url(query), lastID)
		if ending.Load() {
			if err == nil {
				s.close()
			}
			return
		}
		if err != nil || s.response.StatusCode != 200 {
			t.Errorf("opening %q: %v", query, err)
			return
		}
		lazy := random.IntN(10) == 0
		for range random.IntN(500) {
			if _, err := s.receive(); err != nil || ending.Load() {
				break
			}
			if lazy {
				time.Sleep(10 * time.Millisecond) // is what makes it slow
			}
		}
		if lastID = s.lastID; random.IntN(2) == 0 {
			lastID = ""
		}
		s.close()
	}
}

// followAll follows everything and resumes now and then. seen is the batch up to which it has got each one.
func (i *instance) followAll(t *testing.T, ending *atomic.Bool, seen *atomic.Int64) {
	lastID := "0"
	for !ending.Load() {
		s, err := dial(i.url(""), lastID)
		if err != nil {
			t.Errorf("following: %v", err)
			return
		}
		for range 1000 {
			m, err := s.receive()
			if ending.Load() {
				break
			}
			if err != nil || m.Event == "gap" {
				t.Errorf("following: %v %v", m, err)
				s.close()
				return
			}
			if want := fmt.Sprintf("%d:0", seen.Load()+1); m.Event == "reading" && m.ID != want {
				t.Errorf("%s came instead of %s", m.ID, want)
				s.close()
				return
			}
			if m.Event == "reading" {
				seen.Add(1)
			}
		}
		lastID = s.lastID
		s.close()
	}
}
