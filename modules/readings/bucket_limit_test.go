package readings_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPercentile_OfABucketTooFullIsRefusedBeforeTheAnswerBegins(t *testing.T) {
	t.Parallel()
	a := startAPI(t, everyone)
	a.fill(t, "a", 300, 1000)
	a.fill(t, "b", 301, 1000) // one more in the sixth minute
	a.Limits.BucketValues = 60
	a.AnswerWithin(a.Limits)
	const query = "/api/readings?from=0&to=600000&agg=p95&interval="
	status, _, answer := a.call(t, "GET", query+"2m", "", nil)
	require.Equal(t, 422, status)
	require.Contains(t, answer, "more than 60 readings")
	status, _, answer = a.call(t, "GET", query+"1m", "", nil)
	require.Equal(t, 200, status, "series of more readings, but no bucket of more: %s", answer)
	status, _, _ = a.call(t, "GET", query+"2m&agg=avg&limit=1", "", nil)
	require.Equal(t, 422, status)
	status, _, _ = a.call(t, "GET", "/api/readings?from=0&to=600000&agg=avg&interval=1h", "", nil)
	require.Equal(t, 200, status, "an average needs no values")

	a.Post(t, `{"readings":[{"device":"a","ts":59500,"values":{"m":1}}]}`)
	status, _, _ = a.call(t, "GET", query+"1m", "", nil)
	require.Equal(t, 422, status, "what is not folded counts")
}
