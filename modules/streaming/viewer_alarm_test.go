package streaming

import (
	"bytes"
	"io"
	"runtime/pprof"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/modules/auth/access"
	"telltale/modules/streaming/event"
	"telltale/modules/streaming/request"
	"telltale/modules/streaming/wire"
	"telltale/platform/postgres/pgtest"
)

// Not parallel, so that viewers of other tests do not count.
func TestViewer_HasNoGoroutineWhileItIsParked(t *testing.T) { //nolint:paralleltest // see above
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

func TestHeartbeat_ThatDoesNotFitIsWrittenLater(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t), func(o *options) { o.streaming.Heartbeat = 300 * time.Millisecond })
	conn := dialSlow(t, i, "")
	v := i.parked(t, 1)[0]
	stuffed, junk := 0, bytes.Repeat([]byte("x"), 64<<10)
	stuff := func(fd uintptr) {
		for n := 1; n > 0; stuffed += n {
			var err error
			n, err = wire.Write(fd, junk)
			require.NoError(t, err)
		}
	}
	require.Eventually(t, func() bool { // until the viewer has been woken, since nothing goes in any more
		v.mu.Lock()
		defer v.mu.Unlock()
		if v.state == parked {
			raw, err := v.conn.Conn.(syscall.Conn).SyscallConn()
			require.NoError(t, err)
			require.NoError(t, raw.Control(stuff))
		}
		return v.state != parked
	}, waiting, tick)
	received := bytes.Buffer{}
	for !bytes.HasSuffix(received.Bytes(), []byte(event.Heartbeat)) || received.Len() < stuffed {
		_, err := io.CopyN(&received, conn, 1)
		require.NoError(t, err)
	}
	head, body, _ := bytes.Cut(received.Bytes(), junk[:1000])
	require.NotContains(t, string(head), string(junk[:100]))
	require.GreaterOrEqual(t, len(body), stuffed-1000+len(event.Heartbeat))
	i.parked(t, 1)
	require.NoError(t, conn.Close())
	require.EqualValues(t, clientGone, i.ended(t, 1)["reason"])
}

// The heap of alarms takes for granted that of two times the same one is always first.
func TestAlarms_TheirOrderDoesNotDependOnAClockThatIsSet(t *testing.T) {
	t.Parallel()
	now := time.Now()
	expires := now.Add(time.Minute).Round(0) // as credentials have it: by the clock on the wall
	v := &viewer{settings: settings{request: &request.Request{Principal: access.Principal{Expires: expires}}}}
	at := v.orExpiry(now.Add(time.Hour))
	require.True(t, at.Equal(expires))
	require.Contains(t, at.String(), " m=", "it has a reading of the monotonic clock")
	require.Equal(t, now.Add(time.Second), v.orExpiry(now.Add(time.Second)))
}

func TestHeartbeat_ThatIsDueIsWrittenOnce(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t), func(o *options) { o.streaming.Heartbeat = time.Hour })
	open(t, i.url("device=quiet"), "")
	v := i.parked(t, 1)[0]
	v.mu.Lock()
	before := v.bytes
	v.wrote = v.wrote.Add(-time.Hour)
	i.hub.alarms.Set(v, v.nextAlarm())
	v.mu.Unlock()
	require.Eventually(t, func() bool {
		first, ok := i.hub.alarms.First()
		return ok && time.Until(first) > time.Minute
	}, waiting, tick)
	v.mu.Lock()
	defer v.mu.Unlock()
	require.EqualValues(t, len(event.Heartbeat), v.bytes-before)
}
