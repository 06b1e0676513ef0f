package readings_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/stretchr/testify/require"

	"telltale/config"
	"telltale/modules/auth/authtest"
	"telltale/modules/readings"
	"telltale/platform/httpserver/httpservertest"
	"telltale/platform/postgres/pgtest"
)

// fill posts readings every step from 0 on, CSV rows at a time.
func (a *api) fill(t testing.TB, device string, count int, step int64) {
	t.Helper()
	for start := 0; start < count; start += 20_000 {
		var body strings.Builder
		body.WriteString("device,ts,m\n")
		for i := start; i < min(count, start+20_000); i++ {
			fmt.Fprintf(&body, "%s,%d,%d\n", device, int64(i)*step, i*i%1000)
		}
		status, _, answer := a.call(t, "POST", "/api/readings", "text/csv", []byte(body.String()))
		require.Equal(t, 200, status, answer)
	}
	a.FoldAll(t)
}

func TestHistory_SaysHowItWasDownsampled(t *testing.T) {
	t.Parallel()
	a := startAPI(t, everyone)
	a.fill(t, "a", 3000, 60_000)
	for _, c := range []struct {
		query, downsampled, header, columns string
		most                                int
	}{
		{"&max_points=3000", `{"method":"raw"}`, "method=raw", "ts value", 3000},
		{"&max_points=100", `{"method":"lttb"}`, "method=lttb", "ts value", 100},
		{"&max_points=100&downsample=minmax", `{"method":"minmax","interval":"30m"}`, "method=minmax; interval=30m", "ts min max", 100},
	} {
		_, header, answer := a.call(t, "GET", "/api/readings?from=0&to=180000000"+c.query, "", nil)
		var history struct {
			Downsampled json.RawMessage
			Interval    string
			Series      []struct {
				Columns []string
				Points  [][]float64
			}
		}
		require.NoError(t, json.Unmarshal([]byte(answer), &history), answer)
		require.JSONEq(t, c.downsampled, string(history.Downsampled))
		require.Equal(t, c.header, header.Get("Telltale-Downsampled"))
		require.Equal(t, strings.Fields(c.columns), history.Series[0].Columns)
		require.LessOrEqual(t, len(history.Series[0].Points), c.most)
		require.Greater(t, len(history.Series[0].Points), 50)

		_, _, answer = a.call(t, "GET", "/api/readings?format=csv&from=0&to=180000000"+c.query, "", nil)
		lines, err := csv.NewReader(strings.NewReader(answer)).ReadAll()
		require.NoError(t, err)
		require.Len(t, lines, 1+len(history.Series[0].Points))
	}
	_, _, answer := a.call(t, "GET", "/api/readings?from=0&to=180000000&interval=auto&max_points=60&agg=max", "", nil)
	require.Contains(t, answer, `"interval":"1h"`)
	require.NotContains(t, answer, "downsampled")
}

func TestHistory_FillsEmptyBuckets(t *testing.T) {
	t.Parallel()
	a := startAPI(t, everyone)
	a.Post(t, `{"readings":[{"device":"a","ts":60000,"values":{"m":1}},{"device":"a","ts":240000,"values":{"m":4}}]}`)
	for fill, want := range map[string]string{
		"none":     `[[60000,1,1],[240000,4,1]]`,
		"null":     `[[0,null,0],[60000,1,1],[120000,null,0],[180000,null,0],[240000,4,1],[300000,null,0]]`,
		"previous": `[[0,null,0],[60000,1,1],[120000,1,0],[180000,1,0],[240000,4,1],[300000,4,0]]`,
		"linear":   `[[0,null,0],[60000,1,1],[120000,2,0],[180000,3,0],[240000,4,1],[300000,null,0]]`,
	} {
		_, _, answer := a.call(t, "GET", "/api/readings?from=0&to=360000&interval=1m&agg=avg&agg=count&fill="+fill, "", nil)
		require.Contains(t, answer, `"points":`+want, fill)
	}
	_, _, answer := a.call(t, "GET", "/api/readings?format=csv&from=0&to=120000&interval=1m&fill=null", "", nil)
	require.Equal(t, "device,metric,ts,avg\na,m,1970-01-01T00:00:00.000Z,\na,m,1970-01-01T00:01:00.000Z,1\n", answer)
}

func TestHistory_RefusesWhatWouldBeTooMuchWithAnInterval(t *testing.T) {
	t.Parallel()
	e := startEngine(t, pgtest.New(t), func(l *config.Readings) { l.QueryMaxPoints = 1000 })
	a := &api{e, httpservertest.New(t, readings.Routes(e.Service, authtest.As(everyone), 1<<20))}
	a.fill(t, "a", 3000, 892_800) // a month
	const all = "/api/readings?from=0&to=2678400000"
	for query, says := range map[string]string{
		"":                                 "interval=1h",
		"&interval=1m":                     "interval=1h",
		"&interval=5m&fill=null":           "interval=1h",
		"&interval=1s&fill=linear":         "interval=1h",
		"&max_points=2000":                 "interval=1h",
		"&max_points=2000&downsample=lttb": "interval=1h",
	} {
		status, _, answer := a.call(t, "GET", all+query, "", nil)
		require.Equal(t, 422, status, "%s: %.500s", query, answer)
		require.Contains(t, answer, says, query)
	}
	for _, query := range []string{"&interval=1h", "&limit=5000", "&max_points=999", "&interval=auto", "&interval=1h&fill=null"} {
		status, _, answer := a.call(t, "GET", all+query, "", nil)
		require.Equal(t, 200, status, "%s: %.500s", query, answer)
	}
}

func TestHistory_ThatIsOverIsSentOnlyOnce(t *testing.T) {
	t.Parallel()
	a := startAPI(t, everyone)
	a.fill(t, "a", 3000, 60_000)
	for _, format := range []string{"json", "csv"} {
		for _, coding := range []string{"identity", "gzip", "zstd"} {
			ask := func(tag string) (int, string) {
				status, header, _ := a.call(t, "GET", "/api/readings?from=0&to=180000000&format="+format, "", nil, "Accept-Encoding", coding, "If-None-Match", tag)
				require.Equal(t, "Accept, Accept-Encoding", header.Get("Vary"))
				require.Equal(t, "private, no-cache", header.Get("Cache-Control"))
				return status, header.Get("ETag")
			}
			status, tag := ask(`"nothing"`)
			require.Equal(t, 200, status)
			require.Equal(t, format == "json", strings.HasPrefix(tag, "W/"))
			status, again := ask(`"x", ` + tag)
			require.Equal(t, 304, status)
			require.Equal(t, tag, again)

			// A late reading elsewhere changes nothing; one within does, before and after the fold.
			a.Post(t, `{"readings":[{"device":"a","ts":190000000,"values":{"m":1}},{"device":"b","ts":1,"values":{"n":1}}]}`)
			a.call(t, "GET", "/api/readings?from=0&to=180000000", "", nil)
			_, tag = ask("")
			a.Post(t, `{"readings":[{"device":"a","ts":200000000,"values":{"m":1}}]}`)
			status, _ = ask(tag)
			require.Equal(t, 304, status)
			a.Post(t, `{"readings":[{"device":"a","ts":60000,"values":{"m":%d}}]}`, time.Now().UnixNano()%1000)
			status, late := ask(tag)
			require.Equal(t, 200, status)
			require.NotEqual(t, tag, late)
			a.FoldAll(t)
			status, _ = ask(tag)
			require.Equal(t, 200, status)
		}
	}
	_, header, _ := a.call(t, "GET", "/api/readings?from=0", "", nil)
	require.Empty(t, header.Get("ETag"), "what is not over has no version")
}

func TestHistory_IsReadByArrow(t *testing.T) {
	t.Parallel()
	a := startAPI(t, everyone)
	a.fill(t, "b", 20_000, 1000)
	a.Post(t, `{"readings":[{"device":"a","ts":5,"values":{"m":1.5}}]}`)
	for _, ask := range []string{"&format=arrow", ""} {
		_, header, answer := a.call(t, "GET", "/api/readings?from=0&to=100000000"+ask, "", nil, "Accept", "application/vnd.apache.arrow.stream")
		require.Equal(t, "application/vnd.apache.arrow.stream", header.Get("Content-Type"))
		reader, err := ipc.NewReader(strings.NewReader(answer))
		require.NoError(t, err)
		rows, sum := int64(0), 0.0
		for reader.Next() {
			rows += reader.RecordBatch().NumRows()
			for _, v := range reader.RecordBatch().Column(3).(*array.Float64).Float64Values() {
				sum += v
			}
		}
		require.NoError(t, reader.Err())
		reader.Release()
		want := 1.5
		for i := range 20_000 {
			want += float64(i * i % 1000)
		}
		require.Equal(t, int64(20_001), rows)
		require.InDelta(t, want, sum, 1e-6)
	}
}
