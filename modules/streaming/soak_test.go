//go:build soak

package streaming

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/platform/postgres/pgtest"
)

// soakTime is how long the soak lasts, unless SOAK_TIME says otherwise.
const soakTime = 10 * time.Minute

// soakViewers is how many clients of each kind come and go.
const soakViewers = 5

// TestSoak has viewers of every kind come, stay, dawdle and go while readings are posted, folded and dropped. In the end
// memory is what it was after the first fifth, nobody has missed anything, and no goroutine is left.
func TestSoak(t *testing.T) {
	lasting := soakTime
	if text := os.Getenv("SOAK_TIME"); text != "" {
		var err error
		lasting, err = time.ParseDuration(text)
		require.NoError(t, err)
	}
	db := pgtest.New(t)
	i := start(t, db, func(o *options) { o.window, o.slowAfter = 256<<10, time.Second })
	i.tag(t, "d1", "hot")
	before := runtime.NumGoroutine()
	var ending atomic.Bool
	var working sync.WaitGroup
	for k, query := range []string{
		"", "device=d*", "device=d1&metric=m", "tag=hot", "snapshot=true", "every=1s", "every=1s&snapshot=true&device=d1",
		"slow=coalesce", "slow=gap", "slow=disconnect", "since=-10s",
	} {
		for n := range soakViewers {
			working.Go(func() { i.visit(t, query, rand.New(rand.NewPCG(uint64(k), uint64(n))), &ending) })
		}
	}
	var whole atomic.Int64
	working.Go(func() { i.followAll(t, &ending, &whole) })

	began := time.Now()
	settled := int64(0)
	for n, folded := 0, began; time.Since(began) < lasting; n++ {
		i.post(t, datum{fmt.Sprint("d", n%10), "m", int64(n), float64(n)}, datum{fmt.Sprint("d", n%10), "n", int64(n), float64(n)})
		time.Sleep(2 * time.Millisecond) // a pace, not a wait
		if time.Since(folded) > time.Second {
			i.fold(t)
			i.window.Prune(time.Now().Add(time.Minute))
			folded = time.Now()
			if settled == 0 && time.Since(began) > lasting/5 {
				settled = memoryInUse()
			}
		}
	}
	ended := memoryInUse()
	t.Logf("%d batches, %d of them followed, memory %d KiB after a fifth, %d KiB at the end", i.window.Head(), whole.Load(), settled>>10, ended>>10)
	require.Less(t, ended, settled+settled/4+16<<20, "memory grows")
	require.Eventually(t, func() bool { return whole.Load() == i.window.Head() }, time.Minute, time.Millisecond, "somebody has missed something")
	ending.Store(true)
	i.stop()
	working.Wait()
	require.Zero(t, i.hub.viewers())
	require.Zero(t, i.hub.room.held.Load())
	require.Empty(t, i.hub.labels.sets)
	require.Eventually(t, func() bool { return runtime.NumGoroutine() <= before }, time.Minute, 10*time.Millisecond, "goroutines are left")
}

// memoryInUse returns what the heap and the stacks hold, once garbage is collected and stacks have shrunk.
func memoryInUse() int64 {
	for range 6 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}

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
