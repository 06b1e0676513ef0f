package streaming

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/platform/postgres/pgtest"
)

// gatherer is a viewer of buckets that is disconnected again and again, and keeps the last word about each bucket.
type gatherer struct {
	query url.Values

	mu     sync.Mutex
	got    bucketMap
	failed error
}

// gather takes in what comes, from whichever instance is there, until done is closed.
func (g *gatherer) gather(random *rand.Rand, instances func() []string, began chan<- struct{}, done <-chan struct{}) {
	lastID := ""
	for first := true; ; {
		bases := instances()
		s, err := dial(bases[random.IntN(len(bases))]+"/api/stream?"+g.query.Encode(), lastID)
		ok := err == nil && s.response.StatusCode == http.StatusOK
		if err == nil && !ok {
			s.close()
		}
		select {
		case <-done:
			if ok {
				s.close()
			}
			return
		default:
		}
		if !ok {
			continue // the instance is stopping
		}
		stop := make(chan struct{})
		var watched sync.WaitGroup
		watched.Go(func() {
			select {
			case <-done:
				s.close()
			case <-stop:
			}
		})
		for n := 50 + random.IntN(400); n > 0; n-- {
			m, err := s.receive()
			if err != nil {
				break
			}
			if first {
				first = false
				close(began)
			}
			g.note(m)
		}
		lastID = s.lastID
		close(stop)
		watched.Wait()
		s.close()
	}
}

func (g *gatherer) note(m message) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch m.Event {
	case "bucket":
		if err := g.got.add(m.Data); err != nil {
			g.failed = err
		}
	case "position":
	default:
		g.failed = fmt.Errorf("an event of kind %s: %s", m.Event, m.Data)
	}
}

// has returns what has been gathered.
func (g *gatherer) has() (bucketMap, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return maps.Clone(g.got), g.failed
}

// Two instances on one database, one of them restarted again and again, a small window, readings that are late, repeated
// and corrected, folds: what each viewer was last told of every bucket is what history answers, to the letter.
func TestBucketViewer_KnowsWhatHistoryAnswers(t *testing.T) {
	t.Parallel()
	cfg := pgtest.Config(t)
	c := clockAt(t, "2026-03-28T20:00:00Z")
	small := func(o *options) { o.window, o.clock = 4<<10, c }
	running := []*instance{start(t, pgtest.Open(t, cfg), small), start(t, pgtest.Open(t, cfg), small)}
	bases := []string{running[0].server.URL, running[1].server.URL}
	var mu sync.Mutex
	instances := func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(bases)
	}
	for _, device := range []string{"d1", "d3"} {
		running[0].tag(t, device, "odd")
	}
	viewers := []*gatherer{
		{query: url.Values{"interval": {"1m"}}},
		{query: url.Values{"interval": {"1m"}}},
		{query: url.Values{"interval": {"15m"}, "agg": {"min", "max,count", "sum"}, "device": {"d1", "d2"}}},
		{query: url.Values{"interval": {"7s"}, "agg": {"first", "last"}, "metric": {"m1"}}},
		{query: url.Values{"interval": {"1d"}, "tz": {"Europe/Berlin"}, "agg": {"avg", "count"}}},
		{query: url.Values{"interval": {"1h"}, "agg": {"median", "p95"}, "device": {"d[0-2]"}}},
		{query: url.Values{"interval": {"5m"}, "tag": {"odd"}}},
	}
	done := make(chan struct{})
	var gathering sync.WaitGroup
	for k, v := range viewers {
		v.got = bucketMap{}
		began := make(chan struct{})
		gathering.Go(func() { v.gather(rand.New(rand.NewPCG(3, uint64(k))), instances, began, done) })
		<-began
	}
	t.Cleanup(func() {
		close(done)
		gathering.Wait()
	})

	random := rand.New(rand.NewPCG(5, 6))
	for round := range 120 {
		var data []datum
		for range 1 + random.IntN(30) {
			ago := random.Int64N(30_000)
			if random.IntN(6) == 0 {
				ago = random.Int64N(10 * 3_600_000)
			}
			data = append(data, datum{
				fmt.Sprint("d", random.IntN(4)), fmt.Sprint("m", random.IntN(3)), c.ts(-ago) / 500 * 500, float64(random.IntN(1000)) / 8,
			})
		}
		running[random.IntN(2)].post(t, data...)
		switch round % 30 {
		case 10:
			running[0].FoldAll(t)
		case 20:
			running[1].stop()
			running[1] = start(t, pgtest.Open(t, cfg), small)
			mu.Lock()
			bases[1] = running[1].server.URL
			mu.Unlock()
		}
		if random.IntN(3) == 0 {
			c.advance(time.Duration(random.IntN(900)) * time.Second)
		}
	}
	c.advance(48 * time.Hour)
	for _, v := range viewers {
		query := maps.Clone(v.query)
		query.Set("from", "0")
		query.Set("to", fmt.Sprint(c.ts(0)))
		want := running[0].history(t, query)
		require.NotEmpty(t, want)
		var got bucketMap
		for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline) && !maps.Equal(want, got); runtime.Gosched() {
			var err error
			got, err = v.has()
			require.NoError(t, err)
		}
		require.Equal(t, want, got, "%v", v.query)
	}
}
