package streaming

import (
	"context"
	"encoding/json"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"telltale/modules/readings/history"

	"github.com/stretchr/testify/require"

	"telltale/modules/auth/access"
	"telltale/modules/streaming/event"
	"telltale/modules/streaming/livebucket"
	"telltale/modules/streaming/request"
	"telltale/platform/fault"
	"telltale/platform/postgres/pgtest"
)

// What a restore takes out of buckets that have been sent, the client learns from history, where the gap points.
func TestBucketViewer_OfALogThatWentBackIsToldAndGoesOn(t *testing.T) {
	t.Parallel()
	c := clockAt(t, "2026-11-01T12:00:00Z")
	i := start(t, pgtest.New(t), withClock(c), func(o *options) { o.window = 1 << 10 })
	for k := range 10 {
		i.post(t, datum{"a", "m", c.ts(-30_000 + int64(k)), float64(k)})
	}
	queries := []string{"interval=1m&device=a", "interval=1m&agg=max", "interval=1m&device=x"}
	streams := i.takeBack(t, queries)
	for k, s := range streams {
		m := s.next()
		require.Equal(t, "gap", m.Event, queries[k])
		require.Equal(t, fmt.Sprint("4@", c.ts(0)), m.ID)
		var data event.Gap
		require.NoError(t, json.Unmarshal([]byte(m.Data), &data))
		require.Equal(t, "unknown", data.Reason)
		require.EqualValues(t, []int64{10, 4}, []int64{data.FromSeq, data.ToSeq})
	}
	i.post(t, datum{"a", "m", c.ts(-1000), 99}, datum{"x", "m", c.ts(-1000), 98})
	require.Equal(t, []string{`a 11:59:00 {"m":{"avg":21}}`}, streams[0].buckets(1))
	require.Equal(t, []string{`a 11:59:00 {"m":{"max":99}}`, `x 11:59:00 {"m":{"max":98}}`}, streams[1].buckets(2))
	require.Equal(t, []string{`x 11:59:00 {"m":{"avg":98}}`}, streams[2].buckets(1))
	i.post(t, datum{"a", "m", c.ts(0), 5})
	c.advance(time.Minute)
	require.Equal(t, []string{`a 12:00:00 {"m":{"avg":5}}`}, streams[0].buckets(1))
	require.Equal(t, fmt.Sprint("6@", c.ts(0)), streams[0].lastID)
}

func TestBucketViewer_ThatHasGoneDoesNotWaitForItsTurn(t *testing.T) {
	t.Parallel()
	c := clockAt(t, "2026-11-01T12:00:00Z")
	i := start(t, pgtest.New(t), withClock(c))
	i.limitBuckets(func(l *livebucket.Limits) { l.Patience, l.AtOnce = time.Hour, 0 })
	s := open(t, i.url("interval=1m"), "")
	_, err := s.receive()
	require.NoError(t, err)
	i.parked(t, 1)
	c.advance(time.Minute)
	s.close()
	require.Equal(t, "client gone", i.ended(t, 1)["reason"])
}

func TestBucketViewer_LooksThroughALongLogByPieces(t *testing.T) {
	t.Parallel()
	c := clockAt(t, "2026-11-01T12:00:00Z")
	i := start(t, pgtest.New(t), withClock(c), func(o *options) { o.window = 1 })
	i.limitBuckets(func(l *livebucket.Limits) { l.Look = 4 })
	for k := range 4 {
		i.post(t, datum{"a", "m", c.ts(int64(-60_000 * (k + 1))), 1}, datum{"x", "m", c.ts(0), 1})
	}
	i.FoldAll(t)
	i.post(t, datum{"a", "m", c.ts(-300_000), 1})
	s := open(t, i.url("interval=1m&device=a"), fmt.Sprint("0@", c.ts(0)))
	require.Equal(t, []string{`a 11:58:00 {"m":{"avg":1}}`, `a 11:59:00 {"m":{"avg":1}}`}, s.buckets(2))
	require.Equal(t, fmt.Sprint("2@", c.ts(0)), s.lastID)
	require.Equal(t, []string{`a 11:56:00 {"m":{"avg":1}}`, `a 11:57:00 {"m":{"avg":1}}`, `a 11:55:00 {"m":{"avg":1}}`}, s.buckets(3))
	require.Equal(t, fmt.Sprint("5@", c.ts(0)), s.lastID)
}

// Else two viewers whose questions take too long would keep the turns from everybody.
func TestBucketViewer_RestsAfterAQueryThatTookLongAndFailed(t *testing.T) {
	t.Parallel()
	c := clockAt(t, "2026-11-01T12:00:00Z")
	i := start(t, pgtest.New(t), withClock(c))
	i.ask = func(context.Context, access.Principal, history.Query, *livebucket.Rows) error {
		return fault.Busy(time.Second, nil, "the query took too long")
	}
	i.limitBuckets(func(l *livebucket.Limits) { l.Stopwatch = hourly() })
	v := i.idle(t, request.Values{"interval": {"1m"}, "snapshot": {"true"}})
	began := time.Now()
	require.NoError(t, v.tickBuckets(began))
	require.False(t, v.due.Before(began.Add(pauseFactor*time.Hour)))
}

// hourly returns a clock that goes on an hour whenever it is read.
func hourly() func() time.Time {
	var looks atomic.Int64
	return func() time.Time { return time.Unix(0, 0).Add(time.Duration(looks.Add(1)) * time.Hour) }
}

// idle returns a viewer without a goroutine and without a connection.
func (i *instance) idle(t *testing.T, values request.Values) *viewer {
	t.Helper()
	r, err := request.Parse(values, "", i.limits.Now())
	require.NoError(t, err)
	r.Principal = everyone
	ticket, err := i.hub.admission.Admit(r.Principal, "")
	require.NoError(t, err)
	t.Cleanup(ticket.Release)
	v, err := i.hub.prepare(t.Context(), &r, ticket)
	require.NoError(t, err)
	return v
}

// How long a viewer has waited for its turn does not count: no work was done for it.
func TestBucketViewer_RestsByWhatItsFlushCost(t *testing.T) {
	t.Parallel()
	c := clockAt(t, "2026-11-01T12:00:00Z")
	i := start(t, pgtest.New(t), withClock(c))
	i.post(t, datum{"a", "m", c.ts(-1000), 1})
	i.limitBuckets(func(l *livebucket.Limits) { l.Stopwatch = hourly() })
	const waited = 100 * time.Hour
	for _, who := range []string{"who makes it", "who has waited for that"} {
		v := i.idle(t, request.Values{"interval": {"1m"}, "snapshot": {"true"}})
		began := time.Now()
		require.NoError(t, v.tickBuckets(began.Add(-waited)))
		require.NotNil(t, v.digest, who)
		v.digest.Free()
		require.Equal(t, time.Duration(pauseFactor), v.buckets.notBefore.Sub(began)/time.Hour, who)
	}
}

// A question that can never be answered in time must not be asked for ever, in silence.
func TestBucketViewer_QueryThatTakesTooLongIsAGap(t *testing.T) {
	t.Parallel()
	c := clockAt(t, "2026-11-01T12:00:00Z")
	i := start(t, pgtest.New(t), withClock(c))
	i.ask = func(context.Context, access.Principal, history.Query, *livebucket.Rows) error {
		return fault.Busy(time.Second, history.ErrTooLong, "the query took too long")
	}
	s := open(t, i.url("interval=1m&since=2026-11-01T11:00:00Z"), "")
	for {
		m, err := s.receive()
		require.NoError(t, err)
		if m.Event != "gap" {
			require.Equal(t, "position", m.Event)
			continue
		}
		require.Contains(t, m.Data, `"reason":"limit"`)
		require.Contains(t, m.Data, `"from":"2026-11-01T11:00:00.000Z","to":"2026-11-01T12:00:00.000Z"`)
		return
	}
}
