package acceptance

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/platform/postgres/pgtest"
)

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
