package streaming

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/config"
	"telltale/modules/auth"
	"telltale/platform/postgres/pgtest"
)

// Against the plainest alarms that there could be: a map, looked through each time.
func TestAlarmsComeInTheOrderOfTheirTimesAndOnce(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	a, start := newAlarms(), time.Now()
	viewers := make([]viewer, 50)
	want := map[*viewer]time.Time{}
	for now := 0; now < 5000; now++ {
		v := &viewers[random.IntN(len(viewers))]
		at := start.Add(time.Duration(now + random.IntN(500)))
		switch random.IntN(4) {
		case 0:
			a.remove(v)
			delete(want, v)
		case 1: // those that are due
			for last := start; ; {
				v := a.due(start.Add(time.Duration(now)))
				if v == nil {
					break
				}
				require.Equal(t, want[v], v.rings)
				require.False(t, v.rings.Before(last))
				last = v.rings
				delete(want, v)
			}
			for _, at := range want {
				require.True(t, at.After(start.Add(time.Duration(now))))
			}
		default:
			a.set(v, at)
			if old, ok := want[v]; !ok || at.Before(old) {
				want[v] = at
			}
		}
		require.Len(t, a.queue, len(want))
	}
}

func TestAnEarlierAlarmIsNotMissedForALaterOne(t *testing.T) {
	t.Parallel()
	a := newAlarms()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); a.run(ctx) }()
	h := &Hub{cfg: config.Streaming{Heartbeat: time.Hour}, alarms: a, pumps: []*pump{nil}}
	later, sooner := &viewer{hub: h, request: &Request{}}, &viewer{hub: h, request: &Request{}}
	a.set(later, time.Now().Add(time.Hour))
	a.set(sooner, time.Now().Add(time.Millisecond))
	require.Eventually(t, func() bool {
		first, ok := a.first()
		return ok && time.Until(first) > time.Minute
	}, waiting, tick)
	a.set(later, time.Now())
	require.Eventually(t, func() bool { _, ok := a.first(); return !ok }, waiting, tick)
	cancel()
	<-ended
}

// Not parallel, so that viewers of other tests do not count.
func TestAParkedViewerHasNoGoroutine(t *testing.T) { //nolint:paralleltest // see above
	i := start(t, pgtest.New(t), func(o *options) { o.streaming.Heartbeat = 20 * time.Millisecond })
	var streams []*stream
	for _, query := range []string{"", "device=a", "every=1s", "interval=1m", "snapshot=true"} {
		streams = append(streams, open(t, i.url(query), ""))
	}
	goroutines := func() (all string) {
		var text bytes.Buffer
		require.NoError(t, pprof.Lookup("goroutine").WriteTo(&text, 2))
		return text.String()
	}
	require.Eventually(t, func() bool {
		all := goroutines()
		return !strings.Contains(all, "(*viewer).live") && !strings.Contains(all, "httpserver.(*conn).serve")
	}, waiting, tick, "%s", goroutines())
	i.post(t, datum{"a", "m", 1, 1})
	for _, s := range streams[:3] {
		require.Equal(t, `{"device":"a","ts":"1970-01-01T00:00:00.001Z","values":{"m":1}}`, s.next().Data)
	}
}

func TestAHeartbeatThatDoesNotFitIsWrittenLater(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t), func(o *options) { o.streaming.Heartbeat = 300 * time.Millisecond })
	conn := dialSlow(t, i, "")
	v := i.parked(t, 1)[0]
	stuffed, junk := 0, bytes.Repeat([]byte("x"), 64<<10)
	stuff := func(fd uintptr) {
		for n := 1; n > 0; stuffed += n {
			var err error
			n, err = writeSome(fd, junk)
			require.NoError(t, err)
		}
	}
	require.Eventually(t, func() bool { // until the viewer has been woken, since nothing goes in any more
		v.mu.Lock()
		defer v.mu.Unlock()
		if v.parked {
			require.NoError(t, v.raw.Control(stuff))
		}
		return !v.parked
	}, waiting, tick)
	received := bytes.Buffer{}
	for !bytes.HasSuffix(received.Bytes(), []byte(heartbeat)) || received.Len() < stuffed {
		_, err := io.CopyN(&received, conn, 1)
		require.NoError(t, err)
	}
	head, body, _ := bytes.Cut(received.Bytes(), junk[:1000])
	require.NotContains(t, string(head), string(junk[:100]))
	require.GreaterOrEqual(t, len(body), stuffed-1000+len(heartbeat))
	i.parked(t, 1)
	require.NoError(t, conn.Close())
	require.EqualValues(t, clientGone, i.ended(t, 1)["reason"])
}

// The heap of alarms takes for granted that of two times the same one is always first.
func TestTheClockThatIsSetDecidesNoOrderOfAlarms(t *testing.T) {
	t.Parallel()
	now := time.Now()
	expires := now.Add(time.Minute).Round(0) // as credentials have it: by the clock on the wall
	v := &viewer{request: &Request{Principal: auth.Principal{Expires: expires}}}
	at := v.orExpiry(now.Add(time.Hour))
	require.True(t, at.Equal(expires))
	require.Contains(t, at.String(), " m=", "it has a reading of the monotonic clock")
	require.Equal(t, now.Add(time.Second), v.orExpiry(now.Add(time.Second)))
}

func TestAHeartbeatThatIsDueIsWrittenOnce(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t), func(o *options) { o.streaming.Heartbeat = time.Hour })
	open(t, i.url("device=quiet"), "")
	v := i.parked(t, 1)[0]
	v.mu.Lock()
	before := v.bytes
	v.wrote = v.wrote.Add(-time.Hour)
	i.hub.alarms.set(v, v.alarm())
	v.mu.Unlock()
	require.Eventually(t, func() bool {
		first, ok := i.hub.alarms.first()
		return ok && time.Until(first) > time.Minute
	}, waiting, tick)
	v.mu.Lock()
	defer v.mu.Unlock()
	require.EqualValues(t, len(heartbeat), v.bytes-before)
}
