package streaming

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"telltale/modules/streaming/event"
	"telltale/modules/streaming/filter"
	"telltale/modules/streaming/request"
	"telltale/platform/postgres/pgtest"
)

func TestSeriesHint_SkipsBatchesWithNothingForAViewer(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t))
	for k := range 30 {
		i.post(t, datum{fmt.Sprint("d", k%3), "m", int64(k), 1}, datum{"other", "n", int64(k), 1})
	}
	require.Eventually(t, func() bool { // pumps have made encoded them
		return !slices.ContainsFunc(i.hub.pumps, func(p *pump) bool { return p.pos.Load() < 30 })
	}, waiting, tick)
	i.hub.encoded.Forget()
	lookedUp := i.lookups.Load()
	made := func() int64 { return (i.lookups.Load() - lookedUp) / 2 } // each batch has two series
	for query, want := range map[string]int64{"device=d1&metric=n": 0, "device=new": 0} {
		s := open(t, i.url("since=0&"+query), "")
		i.parked(t, 1)
		require.Equal(t, want, made(), query)
		s.close()
		require.Eventually(t, func() bool { return i.hub.viewers() == 0 }, waiting, tick)
	}
	s := open(t, i.url("since=0&device=d1&device=d2&metric=m"), "")
	s.read(20)
	require.EqualValues(t, 20, made())
	i.post(t, datum{"new", "later", 1, 1}, datum{"d1", "m", 1, 1})
	require.Equal(t, "31:1", s.next().ID)
	require.Equal(t, "31:0", open(t, i.url("since=0&device=new"), "").next().ID, "a series that was not there before")
}

// BenchmarkResume has a viewer of one of fifty devices, which post batches of their own, read 200,000 readings.
func BenchmarkResume(b *testing.B) {
	const batches, readings = 200, 1000
	i := start(b, pgtest.New(b), func(o *options) { o.window, o.caches = 64<<20, 1 })
	data := make([]datum, readings)
	for k := range batches {
		for n := range data {
			data[n] = datum{fmt.Sprint("d", k%50), "m", int64(k*readings + n), 21.5}
		}
		i.post(b, data...)
	}
	v := &viewer{settings: settings{hub: i.hub, request: &request.Request{}}}
	for b.Loop() {
		v.filter, v.pos = filter.New(filter.Selection{Devices: []string{"d7"}}, nil, everyone), event.Position{}
		t := event.NewBuffer(1 << 30)
		if _, err := v.fill(t, nil); err != nil || t.Written(len(t.Text())).Events != batches*readings/50 {
			b.Fatal(t.Written(len(t.Text())).Events, err)
		}
	}
}
