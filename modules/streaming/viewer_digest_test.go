package streaming

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/modules/series"
	"telltale/platform/postgres/pgtest"
)

// wide is how many devices make a digest that is much more than the buffers of a socket hold.
const wide = 20_000

// postWide posts a reading of each of them.
func (i *instance) postWide(t *testing.T) {
	t.Helper()
	names := make([]series.Name, wide)
	data := make([]datum, wide)
	for k := range names {
		names[k] = series.Name{Device: fmt.Sprint(strings.Repeat("x", 100), k), Metric: "m"}
		data[k] = datum{names[k].Device, "m", 1, float64(k)}
	}
	_, err := i.Registry.Register(context.Background(), names, true)
	require.NoError(t, err)
	i.post(t, data...)
}

func TestPage_ThatIsTakenByATrickleKeepsItsBudgetForALimitedTime(t *testing.T) {
	t.Parallel()
	for name, query := range map[string]string{
		"a snapshot": "snapshot=true", "newest readings": "every=1s&since=0", "buckets": "interval=1d&since=1970-01-01T00:00:00Z",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := start(t, pgtest.New(t), func(o *options) { o.streaming.WriteTimeout, o.digestTime = time.Hour, 100*time.Millisecond })
			i.postWide(t)
			conn := dialSlow(t, i, query)
			var sip [16]byte
			require.Eventually(t, func() bool {
				_ = conn.SetReadDeadline(time.Now().Add(tick))
				_, _ = conn.Read(sip[:]) // an error means that nothing has come yet, or that the stream has ended
				return i.logs.FilterMessage("stream ended").Len() > 0
			}, waiting, tick)
			require.Equal(t, "too slow", i.ended(t, 1)["reason"])

			_, ok := i.hub.digests.Take(digestBytes - wide*112) // others have it: just enough is left
			require.True(t, ok)
			s := open(t, i.url("snapshot=true"), "")
			s.close()
			i.ended(t, 2)
			_, ok = i.hub.digests.Take(wide * 112)
			require.True(t, ok)
		})
	}
}

func TestPage_IsGotWholeByASlowClientWithinItsTime(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t), func(o *options) { o.streaming.WriteTimeout = time.Hour })
	i.postWide(t)
	conn := dialSlow(t, i, "snapshot=true")
	for k := range int64(10) {
		i.post(t, datum{"a", "m", k, 1})
	}
	s := newStream(t, conn)
	for range wide {
		require.Equal(t, "snapshot", s.next().Event)
	}
	position, err := s.receive()
	require.NoError(t, err)
	require.Equal(t, "1", position.ID)
	require.Equal(t, "2:0", s.next().ID)
	requireEmpty(t, i.hub.digests)
}
