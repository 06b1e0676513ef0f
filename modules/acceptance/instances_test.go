package acceptance

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/platform/postgres/pgtest"
)

// Two instances on one database: what is posted to one is seen at the other, and neither needs the other to live.
func TestInstances_AnswerAsOne(t *testing.T) {
	t.Parallel()
	db := pgtest.Config(t)
	one, two := start(t, db), start(t, db)
	viewer := two.view("", "")
	post := func(p *program, ts int) {
		p.call("POST", "/api/readings", "application/json", fmt.Sprintf(`{"readings":[{"device":"a","ts":%d,"values":{"m":%d}}]}`, instantZero+ts, ts), nil)
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

// An instance is killed while requests are under way at it: viewers elsewhere miss nothing that it has acknowledged, and its own
// go on elsewhere where they were, without a hole or a repeat.
func TestInstances_ViewersOfOneThatDiesGoOnAtAnother(t *testing.T) {
	t.Parallel()
	db := pgtest.Config(t)
	one, two := start(t, db), start(t, db)
	there, here := two.view("", ""), one.view("", "")
	acknowledged := make([]int, 4)
	var posting sync.WaitGroup
	for w := range acknowledged {
		posting.Go(func() {
			for { // until the kill
				n := acknowledged[w] + 1
				body := fmt.Sprintf(`{"readings":[{"device":"device-%d","ts":%d,"values":{"m":%d}}]}`, w, instantZero+n, n)
				if status, _ := one.plain(http.MethodPost, "/api/readings", body); status != http.StatusOK {
					return
				}
				acknowledged[w] = n
			}
		})
	}
	here.wait(t, 100)
	one.kill()
	posting.Wait()
	here.done.Wait() // its stream has ended
	moved := two.view("", here.position())
	two.call("POST", "/api/readings", "application/json", `{"readings":[{"device":"end","ts":1700000000000,"values":{"m":1}}]}`, nil)
	over := func(events []event) bool {
		return len(events) > 0 && strings.Contains(events[len(events)-1].Data, `"device":"end"`)
	}
	seen := there.await(t, over)
	require.Equal(t, seen, append(here.record(), moved.await(t, over)...))

	ids, instants := map[string]bool{}, map[string][][]float64{}
	for _, e := range seen {
		require.False(t, ids[e.ID], "event %s came twice", e.ID)
		ids[e.ID] = true
		var reading struct {
			Device string
			TS     time.Time
			Values struct{ M float64 }
		}
		require.NoError(t, json.Unmarshal([]byte(e.Data), &reading))
		series := reading.Device + "/m"
		instants[series] = append(instants[series], []float64{float64(reading.TS.UnixMilli()), reading.Values.M})
	}
	require.Equal(t, two.history(""), instants)
	for w, n := range acknowledged {
		require.GreaterOrEqual(t, len(instants[fmt.Sprintf("device-%d/m", w)]), n)
	}
}

// An instance that has lost the connection of the doorbell polls until the connection is back.
func TestInstances_LoseNoReadingWithoutADoorbell(t *testing.T) {
	t.Parallel()
	db := pgtest.Config(t)
	one, two := start(t, db), start(t, db)
	viewer, conn := two.view("", ""), connect(t, db)
	for ts := 1; ts <= 60; ts++ {
		if ts%10 == 5 {
			require.Eventually(t, func() bool {
				tag, err := conn.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
					WHERE datname = current_database() AND query LIKE 'LISTEN%'`)
				return err == nil && tag.RowsAffected() > 0
			}, time.Minute, time.Millisecond, "no instance listens")
		}
		one.call("POST", "/api/readings", "application/json", fmt.Sprintf(`{"readings":[{"device":"a","ts":%d,"values":{"m":%d}}]}`, instantZero+ts, ts), nil)
		if ts%10 == 0 {
			requireInstants(t, viewer.wait(t, ts), 1, ts)
		}
	}
}

// instantZero is before the instants of tests, in Unix ms: a time that readings may have.
const instantZero = 1_700_000_000_000

// requireInstants checks that the events are of the instants from first to last ms after instantZero, each once and in order.
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
		want = append(want, time.UnixMilli(int64(instantZero+ts)).UTC().Format("2006-01-02T15:04:05.000Z"))
	}
	require.Equal(t, want, got)
}
