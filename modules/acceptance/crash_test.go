package acceptance

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/platform/postgres/pgtest"
)

// kills is how often the program is killed: five times, or as TELLTALE_KILLS says (see task kill).
func kills(t *testing.T) int {
	t.Helper()
	text := os.Getenv("TELLTALE_KILLS")
	if text == "" {
		return 5
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err)
	return n
}

// Invariants 1 and 7: whatever was acknowledged is there, once, after a kill -9 during ingest and folds.
func TestNothingAcknowledgedIsLostByAKill(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(7, 7))
	p := start(t, pgtest.Config(t), "FOLD_READINGS=500")
	const writers = 4
	var next [writers]int64 // the first instant that a writer has not used
	acknowledged := map[string][]int64{}
	var mu sync.Mutex
	for range kills(t) {
		var posting sync.WaitGroup
		for w := range writers {
			posting.Go(func() {
				device := fmt.Sprint("device-", w)
				for {
					var items []string
					first := next[w]
					for ; next[w] < first+20; next[w]++ {
						items = append(items, fmt.Sprintf(`{"device":%q,"ts":%d,"values":{"m":%d}}`, device, next[w]*60_000, next[w]))
					}
					body := strings.NewReader(`{"readings":[` + strings.Join(items, ",") + `]}`)
					status, _, err := p.try("POST", "/api/readings", "application/json", body)
					if err != nil || status != http.StatusOK {
						return
					}
					mu.Lock()
					for n := first; n < next[w]; n++ {
						acknowledged[device+"/m"] = append(acknowledged[device+"/m"], n*60_000)
					}
					mu.Unlock()
				}
			})
		}
		time.Sleep(time.Duration(500+random.IntN(1500)) * time.Millisecond) // the moment of the kill is meant to be random
		p.kill()
		posting.Wait()
		p.start("FOLD_READINGS=500")
		requireAll(t, acknowledged, p.history(""))
	}
	require.Len(t, acknowledged, writers)
	p.call("POST", "/api/readings/fold", "", "", nil)
	requireAll(t, acknowledged, p.history(""))
}

// requireAll checks that every acknowledged instant is in history, once and in order. History may hold more: what was
// stored just before the kill and could not be acknowledged any more.
func requireAll(t *testing.T, acknowledged map[string][]int64, got map[string][][]float64) {
	t.Helper()
	for series, instants := range acknowledged {
		stored := map[int64]bool{}
		last := -1.0
		for _, point := range got[series] {
			require.Greater(t, point[0], last, "instants ascend, so each is there once")
			last = point[0]
			require.InDelta(t, point[0]/60_000, point[1], 0)
			stored[int64(point[0])] = true
		}
		for _, ts := range instants {
			require.True(t, stored[ts], "%s at %d was acknowledged and is gone", series, ts)
		}
	}
}

// Two instances on one database: what is posted to one is seen at the other, and neither needs the other to live.
func TestTwoInstancesAreOne(t *testing.T) {
	t.Parallel()
	db := pgtest.Config(t)
	one, two := start(t, db), start(t, db)
	viewer := two.view("", "")
	post := func(p *program, ts int) {
		p.call("POST", "/api/readings", "application/json", fmt.Sprintf(`{"readings":[{"device":"a","ts":%d,"values":{"m":%d}}]}`, ts, ts), nil)
	}
	for ts := range 50 {
		post([]*program{one, two}[ts%2], ts+1)
	}
	viewer.wait(t, 50)
	one.kill()
	for ts := 50; ts < 60; ts++ {
		post(two, ts+1)
	}
	events := viewer.wait(t, 60)
	requireInstants(t, events, 1, 60)
	require.Len(t, two.history("")["a/m"], 60)

	// The viewer moves to the other instance, which has been restarted, and misses nothing.
	viewer.stop()
	position := viewer.position()
	post(two, 61)
	one.start()
	post(two, 62)
	moved := one.view("", position)
	post(one, 63)
	requireInstants(t, moved.wait(t, 3), 61, 63)
	require.Len(t, one.history("")["a/m"], 63)
}

// requireInstants checks that the events are of the instants from first to last ms, each once and in order.
func requireInstants(t *testing.T, events []event, first, last int) {
	t.Helper()
	var got []string
	for _, e := range events {
		require.Equal(t, "reading", e.Name)
		var reading struct{ TS string }
		require.NoError(t, json.Unmarshal([]byte(e.Data), &reading))
		got = append(got, reading.TS)
	}
	var want []string
	for ts := first; ts <= last; ts++ {
		want = append(want, time.UnixMilli(int64(ts)).UTC().Format("2006-01-02T15:04:05.000Z"))
	}
	require.Equal(t, want, got)
}

// A stop that was asked for acknowledges what is under way, ends streams, and exits with 0.
func TestAnOrderlyStop(t *testing.T) {
	t.Parallel()
	p := start(t, pgtest.Config(t))
	viewer := p.view("", "")
	var posting sync.WaitGroup
	acknowledged := make([]int, 8)
	for w := range acknowledged {
		posting.Go(func() {
			for ts := 1; ; ts++ {
				body := fmt.Sprintf(`{"readings":[{"device":"device-%d","ts":%d,"values":{"m":1}}]}`, w, ts)
				status, _, err := p.try("POST", "/api/readings", "application/json", strings.NewReader(body))
				if err != nil || status != http.StatusOK {
					return
				}
				acknowledged[w] = ts
			}
		})
	}
	viewer.wait(t, 200)
	require.Zero(t, p.stop(), p.log)
	posting.Wait()
	viewer.done.Wait() // the server has ended the stream
	p.start()
	got := p.history("")
	for w, n := range acknowledged {
		require.GreaterOrEqual(t, len(got[fmt.Sprintf("device-%d/m", w)]), n)
	}
}
