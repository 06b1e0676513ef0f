package readings_test

import (
	"context"
	"testing"

	"telltale/modules/readings/instant"

	"github.com/stretchr/testify/require"

	"telltale/modules/readings/bucket"
	"telltale/modules/readings/history"
	"telltale/platform/postgres/pgtest"
)

// Each of these once had more to do than an answer has: zone bounds that do not advance, or buckets of the pages before.
func TestHistory_EndsWhateverTheCalendarAndTheRange(t *testing.T) {
	t.Parallel()
	a := startAPI(t, everyone)
	a.Post(t, `{"readings":[{"device":"a","ts":1767225600000,"values":{"m":1}}]}`)
	for _, query := range []string{
		"&interval=1d&tz=Europe/Berlin&from=2026-01-01T00:00:00Z&to=2050-01-01T00:00:00Z",
		"&interval=1d&tz=America/New_York&from=2026-01-01T00:00:00Z&to=2199-12-31T23:00:00Z&fill=null",
		"&interval=1mo&tz=Australia/Lord_Howe&from=0&to=2200-01-01T00:00:00Z&fill=linear",
		"&interval=auto&tz=Africa/Cairo&from=0&to=2200-01-01T00:00:00Z",
		"&max_points=3&from=0&to=2200-01-01T00:00:00Z",
		"&interval=1s&from=0&to=2200-01-01T00:00:00Z&fill=null&limit=2&cursor=after:a,m,2199-01-01T00:00:00Z",
		"&interval=1s&from=0&to=2200-01-01T00:00:00Z&fill=previous&limit=2&cursor=after:a,m,2199-01-01T00:00:00Z",
		"&interval=1s&from=0&to=2200-01-01T00:00:00Z&fill=linear&limit=2&cursor=after:a,m,2025-01-01T00:00:00Z",
	} {
		status, _, text := a.call(t, "GET", "/api/readings?device=a"+query, "", nil)
		require.Equal(t, 200, status, "%s: %s", query, text)
	}
	status, _, text := a.call(t, "GET", "/api/readings?device=a&interval=1s&from=0&to=2200-01-01T00:00:00Z&fill=linear", "", nil)
	require.Equal(t, 422, status, "more points than an answer has are refused before any is made")
	require.Contains(t, text, `"interval"`)
}

// endedAt is an answer that ends its query's context at the first bucket.
type endedAt struct {
	collected
	buckets int
	end     context.CancelFunc
}

func (a *endedAt) Bucket(int64, []float64) error {
	a.buckets++
	a.end()
	return nil
}

func TestHistory_OfEmptyBucketsEndsWithItsContext(t *testing.T) {
	t.Parallel()
	e := startEngine(t, pgtest.New(t))
	e.Post(t, `{"readings":[{"device":"a","ts":1767225600000,"values":{"m":1}}]}`)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	second := bucket.Interval{Millis: 1000}
	a := &endedAt{collected: collected{Rows: map[string][][]float64{}}, end: cancel}
	err := e.Queries.History(ctx, everyone, history.Query{
		From: 0, To: instant.Max, Interval: &second, Aggregates: []bucket.Aggregate{bucket.Avg}, Fill: history.Null, Limit: 1 << 40,
	}, a)
	require.ErrorIs(t, err, context.Canceled)
	require.Less(t, a.buckets, 10_000)
}
