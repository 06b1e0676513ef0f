package acceptance

import (
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"telltale/platform/postgres/pgtest"
)

// Figures are found in the program's metrics by their names: one that is renamed would be missing without a word.
func TestOperations_FindsTheMetricsThatItsFiguresAreMadeOf(t *testing.T) {
	t.Parallel()
	p := start(t, pgtest.Config(t))
	var answer struct {
		Figures []struct {
			Name   string
			Values []*float64
		}
	}
	p.call("GET", "/api/operations", "", "", &answer)
	values := map[string]*float64{}
	for _, f := range answer.Figures {
		require.NotEmpty(t, f.Values, f.Name)
		values[f.Name] = f.Values[0]
	}
	for _, name := range []string{"stream_viewers", "stream_lag", "memory_heap", "memory_resident", "window_bytes", "series"} {
		require.NotNil(t, values[name], name)
	}
	response, err := http.Get(p.url + "/metrics")
	require.NoError(t, err)
	defer response.Body.Close()
	metrics, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	for _, name := range []string{
		"telltale_http_requests_total", "telltale_http_request_duration_seconds_bucket", "telltale_stream_events_total",
		"telltale_stream_delay_seconds_bucket", "process_cpu_seconds_total",
	} {
		require.Contains(t, string(metrics), "\n"+name, name)
	}
}
