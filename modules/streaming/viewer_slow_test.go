package streaming

import (
	"encoding/json"
	"fmt"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/modules/streaming/event"
	"telltale/modules/streaming/request"
	"telltale/platform/postgres/pgtest"
)

// slow opens a stream that reads nothing while a flood passes.
func (i *instance) slow(t *testing.T, mode string) *stream {
	t.Helper()
	conn := dialSlow(t, i, "slow="+mode)
	fast := open(t, i.url(""), "")
	all := fast.collect(floodEvents)
	i.flood(t)
	require.Len(t, <-all, floodEvents, "the others get everything meanwhile")
	return newStream(t, conn)
}

// impatient makes viewers slow as soon as more waits for them than goes into one write, and has none cut off: however busy
// the machine is, nothing depends on when a viewer, or its client, gets to run.
func impatient(o *options) { o.slowAfter, o.streaming.WriteTimeout = time.Nanosecond, time.Hour }

// flooded is the id of the flood's last event.
var flooded = fmt.Sprintf("%d:%d", floodBatches, floodEvents/floodBatches-1)

// instantOf returns the first instant after those of the flood's batch.
func instantOf(seq int64) time.Time {
	return time.UnixMilli(seq * floodEvents / floodBatches).UTC()
}

func TestSlowViewer_ThatCoalescesGoesOnWithTheNewestReadings(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t), impatient)
	s := i.slow(t, "coalesce")
	events, snapshots := 0, 0
	for m := (message{}); m.ID != fmt.Sprint(floodBatches) && m.ID != flooded; {
		var err error
		before := m
		m, err = s.receive()
		require.NoError(t, err)
		events++
		if m.Event != "position" || before.Event != "snapshot" {
			continue
		}
		snapshots++
		seq, err := strconv.ParseInt(m.ID, 10, 64)
		require.NoError(t, err)
		require.JSONEq(t, fmt.Sprintf(`{"device":"a","ts":%q,"values":{"m":4999}}`,
			instantOf(seq).Add(-time.Millisecond).Format("2006-01-02T15:04:05.000Z")), before.Data)
	}
	require.Positive(t, snapshots)
	require.Less(t, events, floodEvents)
	i.post(t, datum{"a", "m", 1, 1})
	require.Equal(t, "41:0", s.next().ID)
	require.EqualValues(t, snapshots, i.counted(t, "telltale_stream_coalesced_total"))
}

func TestSlowViewer_ThatAsksForGapsIsToldWhatItMissed(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t), impatient)
	s := i.slow(t, "gap")
	events, gaps := 0, 0
	for m := (message{}); m.ID != fmt.Sprint(floodBatches) && m.ID != flooded; {
		m = s.next()
		events++
		if m.Event != "gap" {
			continue
		}
		gaps++
		var data event.Gap
		require.NoError(t, json.Unmarshal([]byte(m.Data), &data))
		require.Equal(t, "slow", data.Reason)
		require.Equal(t, instantOf(data.ToSeq).Format("2006-01-02T15:04:05.000Z"), *data.To)
	}
	require.Positive(t, gaps)
	require.Less(t, events, floodEvents)
	i.post(t, datum{"a", "m", 1, 1})
	require.Equal(t, "41:0", s.next().ID)
}

func TestSlowViewer_ThatWantsToIsDisconnectedAndResumes(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t), func(o *options) { o.slowAfter, o.streaming.WriteTimeout = time.Second, time.Hour })
	s := i.slow(t, "disconnect")
	require.Equal(t, "too slow", i.ended(t, 1)["reason"])
	events := 0
	for {
		if _, err := s.receive(); err != nil {
			break
		}
		events++
	}
	require.Less(t, events, floodEvents)
	rest := open(t, i.url("slow=disconnect"), s.lastID)
	require.Len(t, <-rest.collect(floodEvents-events+1), floodEvents-events+1, "who resumes is not slow")
}

func TestSlowViewer_IsSlowFromTheFirstWriteThatHoldsItUp(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t), func(o *options) { o.slowAfter, o.streaming.WriteTimeout = 100*time.Millisecond, time.Hour })
	conn := dialSlow(t, i, "slow=gap")
	require.NoError(t, conn.(*net.TCPConn).SetReadBuffer(4<<10))
	v := i.parked(t, 1)[0]
	for held := false; !held; {
		seq := i.postMore(t)
		require.Eventually(t, func() bool {
			v.mu.Lock()
			defer v.mu.Unlock()
			held = v.state != parked
			return held || v.progress().pos.Stamp == seq
		}, waiting, tick)
	}
	i.postMore(t)
	var at event.Position
	since := time.Now()
	require.Eventually(t, func() bool {
		v.mu.Lock()
		defer v.mu.Unlock()
		if now := v.progress().pos; now != at {
			at, since = now, time.Now()
		}
		return time.Since(since) > 2*i.hub.slowAfter
	}, waiting, tick)
	s := newStream(t, conn)
	last := ""
	for m := s.next(); m.Event != "gap"; m = s.next() {
		last = m.ID
	}
	require.Equal(t, at.String(), last, "the gap comes behind the event that was under way")
}

// postMore posts a batch that is no more than what a pump writes at once.
func (i *instance) postMore(t *testing.T) int64 {
	t.Helper()
	data := make([]datum, 1000)
	for n := range data {
		data[n] = datum{"a", "m", int64(n), float64(n)}
	}
	return i.post(t, data...)
}

func TestSlowViewer_IsNoneThatHasNothingToRead(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t), func(o *options) {
		o.slowAfter, o.streaming.Heartbeat = 30*time.Millisecond, 50*time.Millisecond
	})
	for _, mode := range []request.Slowness{request.Coalesce, request.SkipAhead, request.Disconnect} {
		s := open(t, i.url("snapshot=true&slow="+string(mode)), "")
		s.snapshot()
		for k := range 5 {
			began := time.Now()
			require.Eventually(t, func() bool { return time.Since(began) > 4*i.hub.slowAfter }, waiting, tick)
			seq := i.post(t, datum{"a", "m", int64(k), 1})
			require.Equal(t, event.Position{Stamp: seq - 1, Next: 1}.String(), s.next().ID)
		}
		s.close()
	}
	require.Zero(t, i.counted(t, "telltale_stream_gaps_total")+i.counted(t, "telltale_stream_coalesced_total"))
}
