package streaming

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"telltale/platform/postgres/pgtest"
)

func TestViewer_GetsWhatIsPostedAfterItConnected(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t))
	i.post(t, datum{"a", "temperature", 0, 1})
	s := open(t, i.url(""), "")
	require.Equal(t, "text/event-stream; charset=utf-8", s.response.Header.Get("Content-Type"))
	require.Equal(t, "no-store, no-transform", s.response.Header.Get("Cache-Control"))
	require.Equal(t, "no", s.response.Header.Get("X-Accel-Buffering"))
	require.NotEmpty(t, s.response.Header.Get("X-Request-ID"))
	require.True(t, s.response.Close)
	require.Empty(t, s.response.TransferEncoding)
	first, err := s.receive()
	require.NoError(t, err)
	require.Equal(t, message{"1", "position", `{"seq":1}`}, first)
	require.Equal(t, []string{"connected"}, s.comments)
	require.Equal(t, "3000", s.retry)

	i.post(t, datum{"a", "temperature", 1793491200000, 21.5}, datum{"a", "humidity", 1793491200000, 40},
		datum{"b", "temperature", 1793491200000, -1e-7}, datum{"b", "temperature", 1793491200000, 3})
	require.Equal(t, message{
		"2:0", "reading", `{"device":"a","ts":"2026-11-01T00:00:00.000Z","values":{"temperature":21.5,"humidity":40}}`,
	}, s.next())
	require.Equal(t, message{
		"2:2", "reading", `{"device":"b","ts":"2026-11-01T00:00:00.000Z","values":{"temperature":-1e-7}}`,
	}, s.next())
	require.Equal(t, "2:3", s.next().ID)
	i.postMany(t, "a", 0, 100)
	require.Len(t, s.read(100), 100)
}

func TestViewer_ResumesAtEveryPositionExactlyOnce(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t))
	all := open(t, i.url("since=0"), "")
	i.post(t, datum{"a", "m", 1, 1}, datum{"a", "n", 1, 2}, datum{"b", "m", 1, 3}, datum{"a", "m", 2, 4})
	i.post(t, datum{"b", "m", 2, 5})
	i.post(t, datum{"a", "m", 3, 6}, datum{"b", "m", 3, 7})
	var messages []message
	for range 6 {
		messages = append(messages, all.next())
	}
	for _, parameter := range []string{"", "last_event_id", "since"} {
		for k := range messages {
			query, header := parameter+"="+messages[k].ID, ""
			if parameter == "" {
				query, header = "since=1", messages[k].ID // the header counts
			}
			s := open(t, i.url(query), header)
			for _, want := range messages[k+1:] {
				require.Equal(t, want, s.next())
			}
			s.close()
		}
	}
	s := open(t, i.url("since=1"), "")
	require.Equal(t, []string{"2:0", "3:0", "3:1"}, s.ids(3))
}

func TestViewer_ResumesFromTheLogTableAndGoesOnLiveWithoutASeam(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	first := start(t, db, func(o *options) { o.window = 1 })
	first.postMany(t, "a", 0, 50)
	first.FoldAll(t)
	first.postMany(t, "a", 50, 10)
	_, _, ok := first.feed.Next(0)
	require.False(t, ok, "the window must not reach back, or this tests nothing")
	s := open(t, first.url("since=0"), "")
	all := s.collect(100)
	first.postMany(t, "a", 60, 40)
	for k, m := range <-all {
		require.Equal(t, map[string]float64{"m": float64(k)}, m.reading(t).Values)
	}
}

// parked waits until n viewers are parked, and returns them.
func (i *instance) parked(t testing.TB, n int) (viewers []*viewer) {
	t.Helper()
	require.Eventually(t, func() bool {
		viewers = nil
		for _, p := range i.hub.pumps {
			for _, v := range p.members() {
				v.mu.Lock()
				if v.state == parked {
					viewers = append(viewers, v)
				}
				v.mu.Unlock()
			}
		}
		return len(viewers) == n
	}, waiting, tick)
	return viewers
}

// served waits until the pumps, which may be behind viewers that read by themselves, have served everybody.
func (i *instance) served(t testing.TB) {
	t.Helper()
	for _, p := range i.hub.pumps {
		require.Eventually(t, func() bool { return p.served.Load() == i.feed.Head() }, waiting, tick)
	}
}

func TestPump_ThatFallsBehindTheWindowLosesNothing(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t), func(o *options) { o.window = 1 })
	var streams []*stream
	for range 2 * len(i.hub.pumps) {
		streams = append(streams, open(t, i.url(""), ""))
	}
	viewers := i.parked(t, len(streams))
	for _, v := range viewers { // the pumps stop at the first of them
		v.mu.Lock()
	}
	i.postMany(t, "a", 0, 5)
	i.FoldAll(t)
	i.postMany(t, "a", 5, 2)
	_, _, ok := i.feed.Next(1)
	require.False(t, ok, "the pumps must have fallen behind, or this tests nothing")
	for _, v := range viewers {
		v.mu.Unlock()
	}
	i.postMany(t, "a", 7, 2)
	for _, s := range streams {
		for k, r := range s.read(9) {
			require.Equal(t, map[string]float64{"m": float64(k)}, r.Values)
		}
	}
}

func TestViewer_ResumesAcrossARestartAndOnAnotherInstance(t *testing.T) {
	t.Parallel()
	cfg := pgtest.Config(t)
	a, b := start(t, pgtest.Open(t, cfg)), start(t, pgtest.Open(t, cfg))
	s := open(t, a.url("since=0"), "")
	a.postMany(t, "a", 0, 5)
	b.postMany(t, "b", 5, 5)
	got := values(s.read(10))
	a.stop()
	s.untilEnd()
	require.NotEmpty(t, s.retry)
	require.NotEqual(t, "3000", s.retry)
	b.postMany(t, "b", 10, 5)
	s = open(t, b.url(""), s.lastID)
	got = append(got, values(s.read(5))...)
	a = start(t, pgtest.Open(t, cfg))
	a.postMany(t, "a", 15, 5)
	s.close()
	s = open(t, a.url(""), s.lastID)
	got = append(got, values(s.read(5))...)
	var want []string
	for k := range 20 {
		want = append(want, fmt.Sprintf("%smap[m:%d]", map[bool]string{true: "a", false: "b"}[k < 5 || k >= 15], k))
	}
	require.Equal(t, want, got)
}

func TestFilter_LetsThroughOnlyWhatWasAskedFor(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t))
	devices := open(t, i.url("device=a&device=later,never"), "")
	metrics := open(t, i.url("metric=n&metric=o"), "")
	both := open(t, i.url("device=b&metric=m"), "")
	i.post(t, datum{"a", "m", 1, 1}, datum{"a", "n", 1, 2}, datum{"a", "o", 1, 3}, datum{"b", "m", 1, 4}, datum{"c", "m", 1, 5})
	i.post(t, datum{"later", "m", 2, 6}, datum{"b", "m", 2, 7}, datum{"b", "n", 2, 8})
	require.Equal(t, message{"1:0", "reading", `{"device":"a","ts":"1970-01-01T00:00:00.001Z","values":{"m":1,"n":2,"o":3}}`}, devices.next())
	require.Equal(t, message{"2:0", "reading", `{"device":"later","ts":"1970-01-01T00:00:00.002Z","values":{"m":6}}`}, devices.next())
	require.Equal(t, message{"1:0", "reading", `{"device":"a","ts":"1970-01-01T00:00:00.001Z","values":{"n":2,"o":3}}`}, metrics.next())
	require.Equal(t, message{"2:1", "reading", `{"device":"b","ts":"1970-01-01T00:00:00.002Z","values":{"n":8}}`}, metrics.next())
	require.Equal(t, []string{"1:3", "2:1"}, both.ids(2))
}

func TestViewer_GetsOnlyEventsThatItsTokenCovers(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	for _, c := range []struct {
		patterns []string
		query    string
		want     []string
	}{
		{[]string{"lab-*", "x"}, "", []string{"lab-1", "lab-2", "x"}},
		{[]string{"lab-1", "x"}, "", []string{"lab-1", "x"}},
		{[]string{"lab-*"}, "device=lab-2&device=y&device=x", []string{"lab-2"}},
	} {
		i := start(t, db, func(o *options) { o.principal.Devices = c.patterns })
		s := open(t, i.url(c.query), "")
		i.post(t, datum{"lab-1", "m", 1, 1}, datum{"y", "m", 1, 2}, datum{"lab-2", "m", 1, 3}, datum{"x", "m", 1, 4})
		var got []string
		for _, r := range s.read(len(c.want)) {
			got = append(got, r.Device)
		}
		require.Equal(t, c.want, got)
		i.stop()
		s.untilEnd()
	}
	none := start(t, db, func(o *options) { o.principal.Devices = []string{} })
	s := open(t, none.url("since=0"), "")
	none.stop()
	s.untilEnd()
}

func TestViewer_IsRefusedBeforeItBeginsWhenItsRequestIsNotUnderstood(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t))
	for query, header := range map[string]string{
		"tags=x": "", "since=x": "", "since=1&since=2": "", "since=-10": "", "since=-1": "", "since=2026-11-01": "", "device=a[": "",
		"tag=": "", "tag=a,b": "", "snapshot=yes": "", "snapshot=true&since=1": "", "every=500ms": "", "every=2h": "", "every=1": "",
		"slow=down": "", "slow=gap&every=1s": "",
		"since=1:99999999999": "", "device=": "", "metric=a,,b": "",
	} {
		s := connect(t, i.url(query), header)
		require.Equal(t, http.StatusUnprocessableEntity, s.response.StatusCode, "%s %s", query, header)
	}
}

func TestViewer_IsRefusedWhenThereAreTooMany(t *testing.T) {
	t.Parallel()
	for _, limit := range []func(*options){
		func(o *options) { o.streaming.MaxPerUser = 2 }, func(o *options) { o.streaming.MaxPerAddress = 2 },
	} {
		i := start(t, pgtest.New(t), limit)
		first, _ := open(t, i.url(""), ""), open(t, i.url(""), "")
		refused := connect(t, i.url(""), "")
		require.Equal(t, http.StatusTooManyRequests, refused.response.StatusCode)
		require.Equal(t, "10", refused.response.Header.Get("Retry-After"))
		first.close()
		require.Equal(t, "client gone", i.ended(t, 1)["reason"])
		require.Eventually(t, func() bool {
			s := connect(t, i.url(""), "")
			return s.response.StatusCode == http.StatusOK
		}, waiting, tick, "a closed stream makes room")
	}
}

func TestHead_AnswersWithoutAStream(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t))
	response, err := i.server.Client.Head(i.url(""))
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusOK, response.StatusCode)
	require.Equal(t, "text/event-stream; charset=utf-8", response.Header.Get("Content-Type"))
	require.Zero(t, i.hub.viewers())
}
