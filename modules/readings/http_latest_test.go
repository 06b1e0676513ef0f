package readings_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"telltale/modules/auth/authtest"
	"telltale/modules/readings"
	"telltale/platform/httpserver/httpservertest"
	"telltale/platform/postgres/pgtest"
)

func TestLatest_OfAnyNumberOfSeriesIsOneDocument(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	e := startEngine(t, db)
	a := &api{e, httpservertest.New(t, readings.Routes(e.Service, authtest.As(everyone), 1<<20))}
	posted := 0
	for _, count := range []int{1, readings.FewStates, readings.FewStates + 1, 3 * readings.FewStates, 3*readings.FewStates + 1} {
		var body strings.Builder
		for ; posted < count; posted++ {
			fmt.Fprintf(&body, "{\"device\":\"d%d\",\"ts\":%d,\"values\":{\"m\":%d}}\n", posted, posted, posted)
		}
		status, _, answer := a.call(t, "POST", "/api/readings", "application/x-ndjson", []byte(body.String()))
		require.Equal(t, 200, status, answer)
		_, _, answer = a.call(t, "GET", "/api/readings/latest", "", nil)
		var latest struct {
			Series []struct {
				Device string
				TS     int
				Value  float64
			}
		}
		require.NoError(t, json.Unmarshal([]byte(answer), &latest), answer)
		require.Len(t, latest.Series, count)
		for _, s := range latest.Series {
			require.Equal(t, fmt.Sprintf("d%d", s.TS), s.Device)
			require.InDelta(t, s.TS, s.Value, 0)
		}
	}
	_, header, _ := a.call(t, "GET", "/api/readings/latest", "", nil, "Accept-Encoding", "gzip")
	require.Equal(t, "gzip", header.Get("Content-Encoding"))
}
