package streaming

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/modules/auth/access"
	"telltale/modules/streaming/request"
	"telltale/platform/postgres/pgtest"
)

// submit sends a stream's filter as a body.
func (i *instance) submit(t *testing.T, mediaType, body string) *stream {
	t.Helper()
	transport := &http.Transport{}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, i.server.URL+"/api/stream", strings.NewReader(body))
	require.NoError(t, err)
	request.Header.Set("Content-Type", mediaType)
	response, err := transport.RoundTrip(request)
	require.NoError(t, err)
	t.Cleanup(func() { _ = response.Body.Close(); transport.CloseIdleConnections() })
	s := readFrom(t, response.Body)
	s.response = response
	return s
}

func TestFilter_ThatIsLongIsPosted(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t))
	i.post(t, datum{"device-0", "m", 1, 1})
	var ids []string
	for k := range 9000 {
		ids = append(ids, fmt.Sprintf(`"device-%d-%s"`, k, strings.Repeat("x", 80)))
	}
	s := i.submit(t, "application/json", `{"device":["a","lab-*",`+strings.Join(ids, ",")+`],"metric":"m","since":"1","snapshot":false,"slow":"gap"}`)
	require.Equal(t, http.StatusOK, s.response.StatusCode)
	i.post(t, datum{"b", "m", 1, 1}, datum{"a", "m", 1, 1}, datum{"a", "n", 1, 1}, datum{"lab-1", "m", 1, 1})
	require.Equal(t, []string{"2:1", "2:3"}, s.ids(2))
	for body, status := range map[string]int{
		`{"device":[]}`: 200, `{"device":[1]}`: 422, `{"devices":["a"]}`: 422, `[]`: 422, `{`: 422, `{"since":1}`: 200, `{"since":1.5}`: 422, `{"since":1e300}`: 422, `{"access_token":"x"}`: 422, `{"every":"1s","slow":"gap"}`: 422,
		`{"slow":[]}`: 422, `{"every":[]}`: 422, `{"snapshot":[]}`: 422, `{"filter":[]}`: 422, `{"since":[]}`: 200, `{"tag":[]}`: 200, `{"interval":[]}`: 422, `{"agg":[]}`: 422,
	} {
		require.Equal(t, status, i.submit(t, "application/json; charset=utf-8", body).response.StatusCode, body)
	}
	require.Equal(t, http.StatusUnsupportedMediaType, i.submit(t, "text/plain", `{}`).response.StatusCode)
	nothing := i.submit(t, "application/json", `{"device":[]}`)
	i.stop()
	nothing.untilEnd()
}

func (i *instance) watched(t *testing.T) (list []Watched) {
	t.Helper()
	response, err := i.server.Client.Get(i.server.URL + "/api/stream/viewers")
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, http.StatusOK, response.StatusCode)
	var answer struct{ Viewers []Watched }
	require.NoError(t, json.NewDecoder(response.Body).Decode(&answer))
	return answer.Viewers
}

func TestAdministration_ShowsWhoIsWatching(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t))
	require.Empty(t, i.watched(t))
	s := open(t, i.url("device=a,b-*&tag=x&metric=m&slow=gap"), "")
	all := open(t, i.url("since=0"), "")
	i.parked(t, 2)
	i.post(t, datum{"c", "m", 1, 1})
	all.read(1)
	var list []Watched
	require.Eventually(t, func() bool {
		list = i.watched(t)
		return len(list) == 2 && list[0].Position == "1" && list[1].Position == "1"
	}, waiting, tick)
	w := list[0]
	require.Equal(t, s.response.Header.Get("X-Request-ID"), w.RequestID)
	require.Equal(t, "test", w.Subject)
	require.Equal(t, "127.0.0.1", w.Address)
	require.WithinDuration(t, time.Now(), w.Since, time.Minute)
	require.Equal(t, request.Summary{Devices: []string{"a", "b-*"}, DeviceCount: 2, Tags: []string{"x"}, Metrics: []string{"m"}, MetricCount: 1, Slow: "gap"}, w.Filter)
	require.Zero(t, w.LagBatches)
	require.Zero(t, *w.LagSeconds)
	require.Zero(t, w.Events)
	require.Positive(t, w.Bytes)
	require.EqualValues(t, 1, list[1].Events)

	other := i.hub.Viewers(access.Principal{Subject: "other", Devices: []string{"z"}})
	require.Empty(t, other, "what others ask for may name hidden devices")
	require.Len(t, i.hub.Viewers(access.Principal{Subject: "test", Devices: []string{"z"}}), 2)
	require.EqualValues(t, 0, i.hub.furthest())
}

func TestAdministration_TellsViewersBehindAProxyApart(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t), func(o *options) { o.streaming.MaxPerAddress = 1 })
	follow := func(address string) int {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, i.url(""), nil)
		require.NoError(t, err)
		request.Header.Set("X-Forwarded-For", address)
		response, err := i.server.Client.Do(request)
		require.NoError(t, err)
		t.Cleanup(func() { _ = response.Body.Close() })
		return response.StatusCode
	}
	require.Equal(t, http.StatusOK, follow("192.0.2.1"))
	require.Equal(t, http.StatusOK, follow("192.0.2.2"))
	require.Equal(t, http.StatusTooManyRequests, follow("192.0.2.3, 192.0.2.2"), "what a client makes up is no way around the limit")
	i.parked(t, 2)
	seen := i.watched(t)
	require.Equal(t, []string{"192.0.2.1", "192.0.2.2"}, []string{seen[0].Address, seen[1].Address})
	i.stop()
	require.ElementsMatch(t, []any{"192.0.2.1", "192.0.2.2"}, []any{i.ended(t, 2)["address"], i.ended(t, 1)["address"]})
}
