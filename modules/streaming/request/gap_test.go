package request

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/modules/auth/access"
	"telltale/modules/readings/batchlog"
)

func TestVeil_HidesWhenHiddenDevicesReported(t *testing.T) {
	t.Parallel()
	const hour = int64(time.Hour / time.Millisecond)
	of := func(minTS, maxTS int64) batchlog.Missing {
		return batchlog.Missing{FirstStamp: 3, LastStamp: 9, MinTS: minTS, MaxTS: maxTS}
	}
	for name, c := range map[string]struct{ gone, want batchlog.Missing }{
		"within an hour":    {of(hour+5, hour+7), of(hour, 2*hour-1)},
		"whole hours stay":  {of(hour, 2*hour-1), of(hour, 2*hour-1)},
		"before 1970":       {of(-5, -3), of(-hour, -1)},
		"nothing was in it": {of(0, 0), of(0, 0)},
	} {
		narrow := Request{Principal: access.Principal{Devices: []string{"a"}}}
		require.Equal(t, c.want, narrow.Veil(c.gone), name)
		all := Request{}
		require.Equal(t, c.gone, all.Veil(c.gone), name)
	}
}

func TestGap_LeadsToWhereHistoryHasTheRest(t *testing.T) {
	t.Parallel()
	gone := batchlog.Missing{FirstStamp: 3, LastStamp: 9, MinTS: 60_000, MaxTS: 119_999}
	const from, to = "1970-01-01T00:01:00.000Z", "1970-01-01T00:02:00.000Z"
	for name, c := range map[string]struct {
		values Values
		url    string
	}{
		"everything":              {Values{}, "/api/readings?from=1970-01-01T00%3A01%3A00.000Z&to=1970-01-01T00%3A02%3A00.000Z"},
		"lists":                   {Values{"device": {"a", "b"}, "metric": {"m"}, "tag": {"t"}}, "/api/readings?device=a&device=b&from=1970-01-01T00%3A01%3A00.000Z&metric=m&tag=t&to=1970-01-01T00%3A02%3A00.000Z"},
		"long lists are left out": {Values{"device": numbered(maxURLWords + 1), "metric": numbered(maxURLWords)}, "/api/readings?from=1970-01-01T00%3A01%3A00.000Z&" + query(maxURLWords) + "to=1970-01-01T00%3A02%3A00.000Z"},
		"buckets":                 {Values{"interval": {"1m"}, "agg": {"max"}, "tz": {"Europe/Berlin"}}, "/api/readings?agg=max&from=1970-01-01T00%3A01%3A00.000Z&interval=1m&to=1970-01-01T00%3A02%3A00.000Z&tz=Europe%2FBerlin"},
	} {
		r, err := Parse(c.values, "", noon)
		require.NoError(t, err, name)
		g := r.Gap("slow", gone)
		require.Equal(t, c.url, g.URL, name)
		require.Equal(t, []any{"slow", from, to, int64(3), int64(9)}, []any{g.Reason, *g.From, *g.To, g.FromSeq, g.ToSeq}, name)
	}
	r := Request{}
	g := r.UnknownGap(3, 9)
	require.Equal(t, "unknown", g.Reason)
	require.Nil(t, g.From)
	require.Nil(t, g.To)
	require.Equal(t, "/api/readings", g.URL)
}

// query returns the metrics w0, w1, … of a URL.
func query(n int) (text string) {
	for _, word := range numbered(n) {
		text += "metric=" + word + "&"
	}
	return text
}

func TestSummarize_ShowsTheFirstWordsAndCountsAll(t *testing.T) {
	t.Parallel()
	r, err := Parse(Values{"device": numbered(shownWords + 2), "interval": {"1h"}}, "", noon)
	require.NoError(t, err)
	s := r.Summarize()
	require.Equal(t, Summary{
		Devices: numbered(shownWords), DeviceCount: shownWords + 2, Tags: []string{}, Metrics: []string{}, Interval: "1h", Slow: "replay",
	}, s)
	s.Devices[0] = "changed"
	require.Equal(t, "w0", r.Devices[0], "it is a copy")
	r, err = Parse(Values{"every": {"1m"}}, "", noon)
	require.NoError(t, err)
	require.Equal(t, "1m0s", r.Summarize().Every)
}
