package history

import (
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/modules/readings/bucket"
	"telltale/modules/readings/instant"
	"telltale/platform/fault"
)

func FuzzParseQuery(f *testing.F) {
	for _, seed := range []string{
		"", "device=a&device=b,c&metric=m&tag=north", "from=-24h&to=now&interval=1h&agg=avg,p95&tz=Europe/Berlin&fill=linear",
		"from=0&to=2026-11-01T00:00:00+01:00&max_points=500&downsample=lttb", "interval=auto&max_points=100", "interval=3mo&limit=5&cursor=YSBtIDEgMA",
		"device=green*-[0-9]&interval=1y", "from=9223372036854775807&to=-9223372036854775808", "interval=99999999999999s", "from=-99999999w", "to=0",
	} {
		f.Add(seed)
	}
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	f.Add("from=0&to=9&limit=1&cursor=after:a,m,5")
	f.Add("from=0&to=9000&interval=1s&fill=linear&limit=1&cursor=after:a,m,1970-01-01T00:00:01Z")
	f.Fuzz(func(t *testing.T, text string) {
		values, err := url.ParseQuery(text)
		if err != nil {
			return
		}
		q, err := ParseQuery(values, now)
		if err != nil {
			require.Equal(t, fault.Invalid, fault.KindOf(err))
			require.NotEmpty(t, fault.As(err).Fields)
			return
		}
		require.GreaterOrEqual(t, q.From, instant.Min)
		require.Less(t, q.From, q.To)
		require.LessOrEqual(t, q.To, instant.Max+1)
		if q.After != nil {
			require.LessOrEqual(t, q.After.Seek, q.After.TS+1)
		}
		if q.Interval != nil {
			require.NotEmpty(t, q.Aggregates)
			again, err := bucket.ParseInterval(q.Interval.String())
			require.NoError(t, err)
			require.Equal(t, *q.Interval, again)
			buckets := bucket.NewGrid(*q.Interval, q.Zone)
			for _, ts := range []int64{q.From, q.To - 1} {
				start, end := buckets.Bounds(ts)
				require.True(t, start <= ts && ts < end)
			}
			require.Positive(t, buckets.Count(q.From, q.To))
		}
	})
}

func FuzzParseCursor(f *testing.F) {
	for _, c := range []Cursor{{"a", "m", 5, 6}, {"", "", -1, 0}, {"grün 7", "%", instant.Max, instant.Min}} {
		f.Add(c.String())
	}
	f.Add("YSBtIDEgMA")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parseCursor(text)
		if err != nil {
			return
		}
		require.LessOrEqual(t, c.Seek, c.TS+1)
		again, err := parseCursor(c.String())
		require.NoError(t, err)
		require.Equal(t, c, again)
	})
}
