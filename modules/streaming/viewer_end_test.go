package streaming

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"telltale/modules/auth"
	"telltale/modules/auth/access"
	"telltale/modules/readings/batchlog"
	"telltale/modules/streaming/backlog"
	"telltale/platform/fault"
	"telltale/platform/postgres/pgtest"
)

// shortLived is a guard for which every caller has a token that ends in a second.
type shortLived struct{}

func (s shortLived) Require(scopes ...access.Scope) fiber.Handler { return s.RequireBrowser(scopes...) }

func (shortLived) RequireBrowser(scopes ...access.Scope) fiber.Handler {
	return func(c *fiber.Ctx) error {
		p := everyone
		p.Expires = time.Now().Add(time.Second)
		if err := auth.Admit(c, p, scopes...); err != nil {
			return err
		}
		return c.Next()
	}
}

func TestViewer_EndsWithItsToken(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t), func(o *options) { o.guard = shortLived{} })
	s := open(t, i.url(""), "")
	i.post(t, datum{"a", "m", 1, 1})
	s.read(1)
	s.untilEnd()
	require.Contains(t, s.comments, "token expired")
	line := i.ended(t, 1)
	require.Equal(t, "token expired", line["reason"])
	require.Equal(t, "test", line["subject"])
	require.Equal(t, s.response.Header.Get("X-Request-ID"), line["request_id"])
	require.EqualValues(t, 1, line["events"])
	require.GreaterOrEqual(t, line["duration_ms"], 900*time.Millisecond)
	require.Positive(t, line["bytes"])
}

// verdict is a checker with a changing opinion.
type verdict struct{ kind atomic.Int64 }

func (v *verdict) Recheck(context.Context, access.Principal) error {
	if kind := fault.Kind(v.kind.Load()); kind != fault.Internal {
		return fault.New(kind, "no")
	}
	return nil
}

func (v *verdict) OnChange(func(func(access.Principal) bool)) {}

func anybody(access.Principal) bool { return true }

func TestViewer_EndsWhenItsCredentialsAreRevoked(t *testing.T) {
	t.Parallel()
	opinion := &verdict{}
	i := start(t, pgtest.New(t), func(o *options) { o.checker = opinion })
	s := open(t, i.url(""), "")
	i.post(t, datum{"a", "m", 1, 1})
	s.read(1)
	i.hub.recheck(anybody)
	opinion.kind.Store(int64(fault.Unavailable))
	i.hub.recheck(anybody)
	i.post(t, datum{"a", "m", 2, 2})
	s.read(1)
	opinion.kind.Store(int64(fault.Unauthenticated))
	i.hub.recheck(anybody)
	s.untilEnd()
	require.Equal(t, "token refused", i.ended(t, 1)["reason"])
}

// stuck is a checker whose database does not answer.
type stuck struct{ asked chan struct{} }

func (s stuck) Recheck(ctx context.Context, _ access.Principal) error {
	close(s.asked)
	<-ctx.Done()
	return ctx.Err()
}

func (stuck) OnChange(func(func(access.Principal) bool)) {}

func TestViewer_EndsWithTheServerAlsoWhileItsCredentialsAreLookedAt(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{})
	i := start(t, pgtest.New(t), func(o *options) { o.checker = stuck{asked} })
	s := open(t, i.url(""), "")
	i.parked(t, 1)
	i.hub.noteChange(anybody)
	<-asked
	i.stop() // which fails when a connection has to be cut
	s.untilEnd()
	require.Contains(t, s.comments, "server stopping")
}

// stuckLog is a log table that does not answer.
type stuckLog struct {
	logTable
	asked chan struct{}
}

func (s stuckLog) ReadAfter(ctx context.Context, _ int64, _ int) ([]*batchlog.Batch, error) {
	close(s.asked)
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestHub_ThatStopsFirstEndsStreamsThatWaitForTheLog(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t), func(o *options) { o.window = 1 })
	i.postMany(t, "a", 0, 5)
	i.FoldAll(t)
	i.postMany(t, "a", 5, 2)
	asked := make(chan struct{})
	i.hub.backlog = backlog.New(stuckLog{i.Log, asked}, backlogBytes)
	s := open(t, i.url("since=1"), "")
	<-asked
	require.NoError(t, i.hub.Stop(t.Context()))
	s.untilEnd()
	require.Contains(t, s.comments, "server stopping")
	require.EqualValues(t, stopping, i.ended(t, 1)["reason"])
}

func TestViewer_EndIsLoggedAndCounted(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t))
	i.postMany(t, "a", 0, 3)
	s := open(t, i.url("since=0&access_token=secret"), "")
	s.read(3) // by itself
	i.postMany(t, "a", 3, 4)
	s.read(4) // by a pump
	s.close()
	line := i.ended(t, 1)
	require.EqualValues(t, 7, line["events"])
	require.NotContains(t, fmt.Sprint(line), "secret")
	require.EqualValues(t, 7, i.counted(t, "telltale_stream_events_total"))
	require.EqualValues(t, line["bytes"], i.counted(t, "telltale_stream_bytes_total"))
	require.EqualValues(t, 1, i.counted(t, "telltale_stream_ends_total"))
}

func TestHub_DrainSpreadsTheReturnOfItsViewers(t *testing.T) {
	t.Parallel()
	const viewers = 1000
	i := start(t, pgtest.New(t))
	conns := make([]net.Conn, viewers)
	for k := range conns {
		conns[k] = dialSlow(t, i, "")
	}
	i.parked(t, viewers)
	i.stop() // which fails when it takes longer than it may
	ending := i.logs.FilterMessage("ending every stream: the server stops").All()
	require.Len(t, ending, 1)
	require.EqualValues(t, viewers, ending[0].ContextMap()["viewers"])
	for _, line := range i.logs.FilterMessage("stream ended").All() {
		require.Equal(t, zap.DebugLevel, line.Level, "a line for each of thousands tells an operator nothing")
	}
	seconds := map[string]int{}
	for _, conn := range conns {
		s := newStream(t, conn)
		s.untilEnd()
		require.Contains(t, s.comments, "server stopping")
		retry, err := strconv.Atoi(s.retry)
		require.NoError(t, err)
		seconds[fmt.Sprint(retry/1000)]++
	}
	require.GreaterOrEqual(t, len(seconds), 4)
	for second, n := range seconds {
		require.Less(t, n, viewers/2, "viewers that come back %s s later", second)
	}
	require.EqualValues(t, viewers, i.counted(t, "telltale_stream_ends_total"))
}

func TestViewer_WhoseClientClosesIsNoticedAtOnce(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t), func(o *options) { o.streaming.Heartbeat = time.Hour })
	s := open(t, i.url(""), "")
	_, err := s.receive()
	require.NoError(t, err)
	s.close()
	require.Equal(t, "client gone", i.ended(t, 1)["reason"], "without a heartbeat")
	require.Zero(t, i.hub.viewers())
}

func TestHeartbeat_AndPositionsBreakSilence(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t), func(o *options) { o.streaming.Heartbeat = 20 * time.Millisecond })
	s := open(t, i.url("device=quiet"), "")
	m, err := s.receive()
	require.NoError(t, err)
	require.Equal(t, message{"0", "position", `{"seq":0}`}, m)
	i.post(t, datum{"loud", "m", 1, 1})
	m, err = s.receive()
	require.NoError(t, err)
	require.Equal(t, message{"1", "position", `{"seq":1}`}, m)
	for len(s.comments) < 5 {
		line, err := s.lines.ReadString('\n')
		require.NoError(t, err)
		require.Contains(t, []string{":\n", "\n"}, line)
		s.comments = append(s.comments, line)
	}
	i.post(t, datum{"quiet", "m", 1, 1})
	require.Equal(t, "2:0", s.next().ID)
}

// dialSlow opens a stream whose client reads nothing for now.
func dialSlow(t *testing.T, i *instance, query string) net.Conn {
	t.Helper()
	base, err := url.Parse(i.server.URL)
	require.NoError(t, err)
	conn, err := net.Dial("tcp", base.Host)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	_, err = fmt.Fprintf(conn, "GET /api/stream?%s HTTP/1.1\r\nHost: x\r\n\r\n", query)
	require.NoError(t, err)
	var head [12]byte
	_, err = conn.Read(head[:])
	require.NoError(t, err)
	require.Equal(t, "HTTP/1.1 200", string(head[:]))
	return conn
}

// floodEvents are much more than the buffers of a socket hold. They come in floodBatches.
const (
	floodEvents  = 200_000
	floodBatches = 40
)

// flood posts floodEvents events.
func (i *instance) flood(t *testing.T) {
	t.Helper()
	data := make([]datum, floodEvents/floodBatches)
	for k := range floodBatches {
		for n := range data {
			data[n] = datum{"a", "m", int64(k*len(data) + n), float64(n)}
		}
		i.post(t, data...)
	}
}

func TestSlowViewer_DelaysNoOther(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t), func(o *options) { o.streaming.WriteTimeout = time.Hour })
	dialSlow(t, i, "")
	fast := open(t, i.url(""), "")
	all := fast.collect(floodEvents)
	i.flood(t)
	require.Len(t, <-all, floodEvents)
	i.post(t, datum{"a", "m", 1, 1})
	fast.read(1)
	require.Equal(t, 2, i.hub.viewers())
}

func TestSlowViewer_ThatTakesNothingIsCutOff(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t), func(o *options) { o.streaming.WriteTimeout = 300 * time.Millisecond })
	dialSlow(t, i, "") // is alone: a busy machine may keep any client from reading for so long
	i.flood(t)
	require.Equal(t, "too slow", i.ended(t, 1)["reason"])
}

func TestSlowViewer_GetsEverythingAllTheSame(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t), func(o *options) { o.window, o.streaming.WriteTimeout = 1<<10, time.Hour })
	conn := dialSlow(t, i, "")
	i.flood(t)
	i.FoldAll(t)
	i.post(t, datum{"a", "m", 1, 1}) // the window lets go of what has been folded
	_, _, ok := i.feed.Next(1)
	require.False(t, ok)
	s := newStream(t, conn)
	for k, m := range <-s.collect(floodEvents) {
		if want := fmt.Sprintf("%d:%d", 1+k/5000, k%5000); m.ID != want {
			require.Equal(t, want, m.ID)
		}
	}
	require.Equal(t, "41:0", s.next().ID)
}
