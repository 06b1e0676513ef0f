package streaming

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"telltale/modules/readings/history"

	"github.com/stretchr/testify/require"

	"telltale/modules/auth/access"
	"telltale/modules/streaming/event"
	"telltale/modules/streaming/livebucket"
	"telltale/platform/fault"
	"telltale/platform/postgres/pgtest"
)

func TestBucketViewer_HasRulesOfItsOwn(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t))
	for query, reason := range map[string]string{
		"interval=0s":                           "must be a whole number and a unit",
		"interval=auto":                         "must be a whole number and a unit",
		"interval=1m&interval=2m":               "must not be given more than once",
		"agg=avg":                               "needs an interval",
		"tz=UTC":                                "needs an interval",
		"interval=1m&agg=mean":                  "must be one of",
		"interval=1m&tz=Local":                  "IANA",
		"interval=1m&every=1s":                  "does not go with interval",
		"interval=1m&slow=coalesce":             "does not go with interval",
		"interval=1m&snapshot=true&since=-1h":   "cannot be combined with since",
		"interval=1m&fill=null":                 "is not a parameter of this call",
		"interval=1m&tz=Europe/Berlin&device=[": "device",
		"since=yesterday":                       "must be a seq, the id of an event, RFC 3339, Unix ms or relative such as -10m, not",
		"tag=a,b":                               "repeat tag for devices that have several",
	} {
		status, text := i.do(t, "GET", "/stream?"+query, "", nil)
		require.Equal(t, http.StatusUnprocessableEntity, status, query)
		require.Contains(t, text, reason, query)
	}
}

// buckets returns the next n events of buckets as "device ts values".
func (s *stream) buckets(n int) (all []string) {
	s.t.Helper()
	for range n {
		m := s.next()
		require.Equal(s.t, "bucket", m.Event)
		var d struct {
			Device string
			TS     time.Time
			Values json.RawMessage
		}
		require.NoError(s.t, json.Unmarshal([]byte(m.Data), &d))
		all = append(all, d.Device+" "+d.TS.Format("15:04:05")+" "+string(d.Values))
	}
	return all
}

func TestBucketViewer_BeginsWhereItIsAsked(t *testing.T) {
	t.Parallel()
	c := clockAt(t, "2026-11-01T12:00:30Z")
	i := start(t, pgtest.New(t), withClock(c))
	seq := i.post(t, datum{"a", "m", c.ts(-31_000), 1}, datum{"a", "m", c.ts(-150_000), 2}, datum{"b", "m", c.ts(-150_000), 3})
	require.Equal(t, []string{`a 11:59:00 {"m":{"avg":1}}`}, open(t, i.url("interval=1m&snapshot=true"), "").buckets(1))
	require.Equal(t, []string{`a 11:58:00 {"m":{"avg":2}}`, `b 11:58:00 {"m":{"avg":3}}`, `a 11:59:00 {"m":{"avg":1}}`},
		open(t, i.url("interval=1m&since=2026-11-01T11:58:01Z"), "").buckets(3), "the bucket that was open then is the first")
	since := open(t, i.url(fmt.Sprint("interval=1m&since=", seq)), "")
	begin := open(t, i.url("interval=1m&since=0"), "")
	require.Equal(t, []string{`a 11:58:00 {"m":{"avg":2}}`, `b 11:58:00 {"m":{"avg":3}}`, `a 11:59:00 {"m":{"avg":1}}`}, begin.buckets(3))
	begin.close()
	i.post(t, datum{"b", "m", c.ts(-31_000), 9}, datum{"a", "n", c.ts(-32_000), 8})
	require.Equal(t, []string{`a 11:59:00 {"n":{"avg":8}}`, `b 11:59:00 {"m":{"avg":9}}`}, since.buckets(2),
		"of a bucket that history has answered, what has changed")
	other := open(t, i.url(""), fmt.Sprintf("%d@%d", seq, c.ts(0)))
	require.Equal(t, "2:0", other.next().ID, "a position of buckets is one of readings, too")
}

func TestBucketViewer_DaysEndWithTheDaysOfTheirZone(t *testing.T) {
	t.Parallel()
	c := clockAt(t, "2026-03-28T22:59:00Z") // a minute before the midnight after which clocks are put forward
	i := start(t, pgtest.New(t), withClock(c))
	s := open(t, i.url("interval=1d&tz=Europe/Berlin&agg=count"), "")
	i.post(t, datum{"a", "m", c.ts(0), 1}, datum{"a", "m", c.ts(60_000), 1}, datum{"a", "m", c.ts(23*3_600_000 + 59_999), 1}, datum{"a", "m", c.ts(23*3_600_000 + 60_000), 1})
	c.advance(time.Minute)
	require.Equal(t, `{"device":"a","ts":"2026-03-27T23:00:00.000Z","interval":"1d","values":{"m":{"count":1}}}`, s.next().Data)
	c.advance(23*time.Hour - time.Millisecond)
	i.post(t, datum{"a", "m", 1, 1})
	require.Equal(t, `{"device":"a","ts":"1969-12-31T23:00:00.000Z","interval":"1d","values":{"m":{"count":1}}}`, s.next().Data)
	c.advance(time.Millisecond)
	require.Equal(t, `{"device":"a","ts":"2026-03-28T23:00:00.000Z","interval":"1d","values":{"m":{"count":2}}}`, s.next().Data)
}

func TestBucketViewer_GetsWhatTheTokenCoversAndTheFilterLetsThrough(t *testing.T) {
	t.Parallel()
	db := pgtest.Config(t)
	c := clockAt(t, "2026-11-01T12:00:00Z")
	all := start(t, pgtest.Open(t, db), withClock(c))
	limited := start(t, pgtest.Open(t, db), withClock(c), func(o *options) { o.principal.Devices = []string{"lab-1", "x*"} })
	all.tag(t, "lab-1", "hot")
	nothing, err := json.Marshal(map[string]any{"device": []string{}, "interval": "1m"})
	require.NoError(t, err)
	response, err := http.Post(all.server.URL+"/api/stream", "application/json", strings.NewReader(string(nothing)))
	require.NoError(t, err)
	defer response.Body.Close()
	streams := map[string]*stream{
		"lab-1 lab-2 y":      open(t, all.url("interval=1m"), ""),
		"lab-1 x1":           open(t, limited.url("interval=1m"), ""),
		"lab-1":              open(t, limited.url("interval=1m&device=lab-*"), ""),
		"lab-1 lab-2":        open(t, all.url("interval=1m&device=lab-?"), ""),
		"lab-1 (tagged)":     open(t, all.url("interval=1m&tag=hot"), ""),
		"lab-2 (its metric)": open(t, all.url("interval=1m&metric=n"), ""),
	}
	post := func(before int64) {
		all.post(t, datum{"lab-1", "m", c.ts(before), 1}, datum{"lab-2", "n", c.ts(before), 2}, datum{"y", "m", c.ts(before), 3}, datum{"x1", "m", c.ts(before), 4})
	}
	devices := func(s *stream, n int) (all []string) {
		for _, text := range s.buckets(n) {
			device, _, _ := strings.Cut(text, " ")
			all = append(all, device)
		}
		return all
	}
	want := map[string][]string{
		"lab-1 lab-2 y": {"lab-1", "lab-2", "x1", "y"}, "lab-1 x1": {"lab-1", "x1"}, "lab-1": {"lab-1"},
		"lab-1 lab-2": {"lab-1", "lab-2"}, "lab-1 (tagged)": {"lab-1"}, "lab-2 (its metric)": {"lab-2"},
	}
	for _, how := range []string{"closed", "late"} {
		if how == "closed" {
			post(0)
			c.advance(time.Minute)
		} else {
			post(-90_000)
		}
		for name, s := range streams {
			require.Equal(t, want[name], devices(s, len(want[name])), "%s: %s", how, name)
		}
	}
	all.stop()
	readFrom(t, response.Body).untilEnd()
}

func TestBucketViewer_GetsNoBucketsOfADeletedDevice(t *testing.T) {
	t.Parallel()
	c := clockAt(t, "2026-11-01T12:00:00Z")
	i := start(t, pgtest.New(t), withClock(c))
	i.post(t, datum{"gone", "m", c.ts(-1000), 1}, datum{"a", "m", c.ts(-1000), 1})
	require.NoError(t, i.Service.DeleteDevice(t.Context(), "gone"))
	i.post(t, datum{"a", "m", c.ts(-2000), 3})
	s := open(t, i.url("interval=1m&since=0"), "")
	require.Equal(t, []string{`a 11:59:00 {"m":{"avg":2}}`}, s.buckets(1))
	require.Equal(t, fmt.Sprint("3@", c.ts(0)), s.lastID)
}

func TestBucketViewer_GapSaysWhichBucketsMayHaveChangedUnseen(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	narrowBlocks(t, db, 3, 10)
	c := clockAt(t, "2026-11-01T12:00:30Z")
	i := start(t, db, withClock(c), func(o *options) { o.window = 1 })
	for k := range 8 {
		i.post(t, datum{"a", "m", c.ts(int64(-60_000 * k)), 1})
	}
	require.Equal(t, 2, i.dropBlocks(t))
	query := "interval=1m&agg=max&device=a&tz=Europe/Berlin"
	s := open(t, i.url(query), fmt.Sprint("1@", c.ts(-30_000)))
	m := s.next()
	require.Equal(t, "gap", m.Event)
	require.JSONEq(t, `{"reason":"retention","from":"2026-11-01T11:55:00.000Z","to":"2026-11-01T12:00:00.000Z","from_seq":2,"to_seq":6,
		"url":"/api/readings?agg=max&device=a&from=2026-11-01T11%3A55%3A00.000Z&interval=1m&to=2026-11-01T12%3A00%3A00.000Z&tz=Europe%2FBerlin"}`, m.Data)
	require.Equal(t, []string{`a 11:53:00 {"m":{"max":1}}`, `a 11:54:00 {"m":{"max":1}}`}, s.buckets(2), "what the log still tells of")

	inTime := open(t, i.url(query), fmt.Sprint("1@", c.ts(-450_000)))
	require.Len(t, inTime.buckets(7), 7, "a gap in the log is none when no bucket was closed by then")
	ahead := open(t, i.url(query), fmt.Sprint("99@", c.ts(-90_000)))
	m = ahead.next()
	require.Equal(t, "gap", m.Event)
	require.Contains(t, m.Data, `"reason":"unknown"`)
	require.Equal(t, fmt.Sprint("8@", c.ts(-90_000)), m.ID)
	require.Len(t, ahead.buckets(1), 1)
}

func TestBucketViewer_GetsAGapForMoreThanALimit(t *testing.T) {
	t.Parallel()
	c := clockAt(t, "2026-11-01T12:00:00Z")
	i := start(t, pgtest.New(t), withClock(c))
	i.limitBuckets(func(l *livebucket.Limits) { l.Late, l.Rows, l.Behind = 3, 4, 100 })
	limits := func(m message) event.Gap {
		require.Equal(t, "gap", m.Event, m.Data)
		var g event.Gap
		require.NoError(t, json.Unmarshal([]byte(m.Data), &g))
		require.Equal(t, "limit", g.Reason)
		return g
	}
	var data []datum
	for k := range 12 {
		data = append(data, datum{"a", "m", c.ts(int64(-60_000 * (k + 1))), 1})
	}
	i.post(t, data[:2]...)
	live := open(t, i.url("interval=1m"), "")
	i.post(t, data[2:5]...)
	require.Len(t, live.buckets(3), 3)
	i.post(t, data[5:]...)
	g := limits(live.next())
	require.Equal(t, "2026-11-01T11:48:00.000Z 2026-11-01T11:55:00.000Z", *g.From+" "+*g.To)

	pieces := open(t, i.url("interval=1m&since=2026-11-01T11:00:00Z"), "")
	require.Len(t, pieces.buckets(12), 12, "more than fit at once come one after the other")
	require.Equal(t, fmt.Sprint("3@", c.ts(0)), pieces.lastID)
	far := limits(open(t, i.url("interval=1m&since=2026-11-01T01:00:00Z"), "").next())
	require.Equal(t, "2026-11-01T01:00:00.000Z", *far.From)

	data = nil
	for k := range 5 {
		data = append(data, datum{fmt.Sprint("w", k), "m", c.ts(0), 1})
	}
	i.post(t, data...)
	c.advance(time.Minute)
	g = limits(live.next())
	require.Equal(t, "2026-11-01T12:00:00.000Z 2026-11-01T12:01:00.000Z", *g.From+" "+*g.To)
	target, err := url.Parse(g.URL)
	require.NoError(t, err)
	require.Len(t, i.history(t, target.Query()), 5, "where the gap's URL points, all of it is")
}

func TestBucketViewer_SharesTheAnswerToTheSameQuery(t *testing.T) {
	t.Parallel()
	c := clockAt(t, "2026-11-01T12:00:00Z")
	i := start(t, pgtest.New(t), withClock(c))
	var asked atomic.Int64
	ask := i.ask
	i.ask = func(ctx context.Context, who access.Principal, q history.Query, rows *livebucket.Rows) error {
		asked.Add(1)
		return ask(ctx, who, q, rows)
	}
	var same []*stream
	for range 20 {
		same = append(same, open(t, i.url("interval=1m&device=b&device=a"), ""))
	}
	seq := i.post(t, datum{"a", "m", c.ts(0), 1})
	require.Eventually(t, func() bool { // they are at the same position, or one that is behind asks for itself
		return !slices.ContainsFunc(i.parked(t, len(same)), func(v *viewer) bool {
			v.mu.Lock()
			defer v.mu.Unlock()
			return v.progress().pos.Stamp < seq
		})
	}, waiting, tick)
	c.advance(time.Minute)
	for _, s := range same {
		require.Equal(t, []string{`a 12:00:00 {"m":{"avg":1}}`}, s.buckets(1))
	}
	require.EqualValues(t, 1, asked.Load())
}

func TestBucketViewer_WaitsForADatabaseThatIsAway(t *testing.T) {
	t.Parallel()
	c := clockAt(t, "2026-11-01T12:00:00Z")
	i := start(t, pgtest.New(t), withClock(c))
	var asked atomic.Int64
	ask := i.ask
	i.ask = func(ctx context.Context, who access.Principal, q history.Query, rows *livebucket.Rows) error {
		if asked.Add(1) < 3 {
			return fault.Busy(time.Second, nil, "the database is away")
		}
		return ask(ctx, who, q, rows)
	}
	s := open(t, i.url("interval=1m"), "")
	i.post(t, datum{"a", "m", c.ts(0), 1})
	c.advance(time.Minute)
	require.Equal(t, []string{`a 12:00:00 {"m":{"avg":1}}`}, s.buckets(1))
}

// By the system's clock, as outside of tests: nothing but time tells the viewer that a bucket is over.
func TestBucketViewer_GetsABucketWithoutANewReading(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t))
	s := open(t, i.url("interval=1s&agg=sum"), "")
	now := time.Now().UnixMilli()
	i.post(t, datum{"a", "m", now / 1000 * 1000, 2.5})
	require.Equal(t, `{"sum":2.5}`, func() string {
		var d bucketData
		require.NoError(t, json.Unmarshal([]byte(s.next().Data), &d))
		require.Equal(t, now/1000*1000, d.TS.UnixMilli())
		text, err := json.Marshal(d.Values["m"])
		require.NoError(t, err)
		return string(text)
	}())
}
