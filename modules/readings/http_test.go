package readings_test

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"telltale/modules/auth/access"
	"telltale/modules/auth/authtest"
	"telltale/modules/readings"
	"telltale/modules/readings/readingstest"
	"telltale/platform/httpserver/httpservertest"
	"telltale/platform/postgres/pgtest"
)

// api is an instance behind a real socket.
type api struct {
	*engine
	url string
}

func startAPI(t testing.TB, who access.Principal) *api {
	t.Helper()
	db := pgtest.New(t)
	readingstest.CountStamps(t, db)
	e := startEngine(t, db)
	return &api{e, httpservertest.New(t, readings.Routes(e.Service, authtest.As(who), 1<<20))}
}

// call sends a request and returns its answer, whole.
func (a *api) call(t testing.TB, method, path, contentType string, body []byte, header ...string) (int, http.Header, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, a.url+path, bytes.NewReader(body))
	require.NoError(t, err)
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	return a.send(t, request)
}

func (a *api) send(t testing.TB, request *http.Request) (int, http.Header, string) {
	t.Helper()
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, response.Header, string(answer)
}

func zipped(t testing.TB, body string) []byte {
	t.Helper()
	var buffer bytes.Buffer
	w := gzip.NewWriter(&buffer)
	_, err := w.Write([]byte(body))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return buffer.Bytes()
}

func TestFormats_InAndOutAgree(t *testing.T) {
	t.Parallel()
	a := startAPI(t, everyone)
	for i, post := range []struct {
		contentType, encoding string
		body                  []byte
	}{
		{"application/json", "", []byte(`{"readings":[{"device":"a","ts":"2026-11-01T00:00:01Z","values":{"open":true,"temperature":21.5}}]}`)},
		{"application/x-ndjson", "", []byte(`{"device":"a","ts":1793491202000,"values":{"temperature":22}}` + "\n")},
		{"text/csv", "gzip", zipped(t, "device,ts,temperature\na,2026-11-01T01:00:03+01:00,22.5\n")},
	} {
		status, _, answer := a.call(t, "POST", "/api/readings", post.contentType, post.body, "Content-Encoding", post.encoding)
		require.Equal(t, 200, status, answer)
		require.JSONEq(t, fmt.Sprintf(`{"accepted":%d,"seq":%d}`, []int{2, 1, 1}[i], i+1), answer)
	}
	const query = "/api/readings?device=a&device=unknown&from=2026-11-01T00:00:00Z&to=2026-11-01T01:00:00Z"
	status, header, answer := a.call(t, "GET", query, "", nil)
	require.Equal(t, 200, status)
	require.Equal(t, "application/json", header.Get("Content-Type"))
	require.Equal(t, `{"from":1793491200000,"to":1793494800000,"seq":3,"series":[`+
		`{"device":"a","metric":"open","unit":"","columns":["ts","value"],"points":[[1793491201000,1]]},`+
		`{"device":"a","metric":"temperature","unit":"","columns":["ts","value"],"points":`+
		`[[1793491201000,21.5],[1793491202000,22],[1793491203000,22.5]]}]}`, answer)

	_, header, answer = a.call(t, "GET", query+"&metric=temperature&interval=2s&agg=avg&agg=count&format=csv", "", nil)
	require.Contains(t, header.Get("Content-Type"), "text/csv")
	require.Equal(t, "device,metric,ts,avg,count\na,temperature,2026-11-01T00:00:00.000Z,21.5,1\n"+
		"a,temperature,2026-11-01T00:00:02.000Z,22.25,2\n", answer)

	_, header, answer = a.call(t, "GET", query+"&metric=open", "", nil, "Accept", "application/x-ndjson")
	require.Contains(t, header.Get("Content-Type"), "ndjson")
	require.JSONEq(t, `{"device":"a","metric":"open","ts":1793491201000,"value":1}`, answer)

	_, _, answer = a.call(t, "GET", "/api/readings/latest?device=a&device=nobody", "", nil)
	require.Equal(t, `{"series":[{"device":"a","metric":"open","unit":"","ts":1793491201000,"value":1},`+
		`{"device":"a","metric":"temperature","unit":"","ts":1793491203000,"value":22.5}]}`, answer)

	for _, path := range []string{"/api/readings?device=nobody", "/api/readings/latest?device=nobody"} {
		status, _, answer = a.call(t, "GET", path, "", nil)
		require.Equal(t, 200, status)
		require.Contains(t, answer, `"series":[]`)
	}
}

func TestIngest_StoresNothingOfABodyWithABadReadingUnlessItIsSkipped(t *testing.T) {
	t.Parallel()
	a := startAPI(t, everyone)
	body := []byte(`{"readings":[{"device":"a","ts":1,"values":{"m":1}},{"device":"a","ts":"yesterday","values":{"m":1}},
		{"device":"b c","ts":1,"values":{"m":1}},{"device":"a","ts":2,"values":{"m":[]}}]}`)
	status, header, answer := a.call(t, "POST", "/api/readings", "application/json", body)
	require.Equal(t, 422, status)
	require.Equal(t, "application/problem+json", header.Get("Content-Type"))
	var problem struct {
		Errors []struct{ Field, Reason string }
	}
	require.NoError(t, json.Unmarshal([]byte(answer), &problem))
	require.Len(t, problem.Errors, 3)
	require.Equal(t, "readings[1].ts", problem.Errors[0].Field)
	require.Contains(t, problem.Errors[0].Reason, "yesterday")
	require.Equal(t, "readings[2].device", problem.Errors[1].Field)
	require.Contains(t, problem.Errors[1].Reason, "must not contain spaces")
	require.Equal(t, "readings[3].values.m", problem.Errors[2].Field)
	_, _, answer = a.call(t, "GET", "/api/readings/latest", "", nil)
	require.JSONEq(t, `{"series":[]}`, answer)

	status, _, answer = a.call(t, "POST", "/api/readings?on_error=skip", "application/json", body)
	require.Equal(t, 200, status, answer)
	var receipt readings.ReceiptAnswer
	require.NoError(t, json.Unmarshal([]byte(answer), &receipt))
	require.Equal(t, 1, receipt.Accepted)
	require.Equal(t, 3, receipt.RejectedCount)
	require.Equal(t, []int{1, 2, 3}, []int{receipt.Rejected[0].Index, receipt.Rejected[1].Index, receipt.Rejected[2].Index})
}

func TestHistory_SaysWhatIsWrongWithAQuery(t *testing.T) {
	t.Parallel()
	a := startAPI(t, everyone)
	for _, c := range []struct {
		path   string
		status int
		says   string
	}{
		{"/api/readings?devices=a", 422, "devices"},
		{"/api/readings?from=now&to=-1h", 422, "before to"},
		{"/api/readings?from=tomorrow", 422, "tomorrow"},
		{"/api/readings?from=-1h&from=-2h", 422, "once"},
		{"/api/readings?interval=5", 422, "interval"},
		{"/api/readings?interval=0s", 422, "interval"},
		{"/api/readings?interval=400d", 422, "366d"},
		{"/api/readings?agg=avg", 422, "needs an interval"},
		{"/api/readings?fill=null", 422, "needs an interval"},
		{"/api/readings?interval=13mo", 422, "interval"},
		{"/api/readings?interval=2y", 422, "interval"},
		{"/api/readings?interval=1h&fill=zero", 422, "zero"},
		{"/api/readings?downsample=lttb", 422, "max_points"},
		{"/api/readings?max_points=2", 422, "max_points"},
		{"/api/readings?max_points=100&downsample=m4", 422, "m4"},
		{"/api/readings?max_points=100&interval=1h", 422, "max_points"},
		{"/api/readings?max_points=100&interval=auto&downsample=lttb", 422, "downsample"},
		{"/api/readings?max_points=100&limit=5", 422, "limit"},
		{"/api/readings?device=a[", 422, "pattern"},
		{"/api/readings?tag=a,b", 422, "tag"},
		{"/api/readings/latest?tag=", 422, "tag"},
		{"/api/readings?interval=1h&agg=mode", 422, "must be one of avg min max sum count first last median p95, not"},
		{"/api/readings?interval=1d&tz=Mars/Olympus", 422, "IANA"},
		{"/api/readings?limit=0", 422, "limit"},
		{"/api/readings?cursor=nonsense", 422, "cursor"},
		{"/api/readings?device=", 422, "device"},
		{"/api/readings?format=xml", 422, "xml"},
		{"/api/readings/latest?from=-1h", 422, "from"},
	} {
		status, _, answer := a.call(t, "GET", c.path, "", nil)
		require.Equal(t, c.status, status, "%s: %s", c.path, answer)
		require.Contains(t, answer, c.says, c.path)
	}
	status, _, _ := a.call(t, "GET", "/api/readings", "", nil, "Accept", "image/png")
	require.Equal(t, 406, status)
	for _, c := range []struct {
		contentType, path, body string
		status                  int
	}{
		{"application/xml", "", "<a/>", 415},
		{"application/json", "", "", 422},
		{"application/json", "", "{", 422},
		{"application/json", "?on_error=ignore", `{"readings":[]}`, 422},
		{"application/json", "?dry_run=1", `{"readings":[]}`, 422},
		{"text/csv", "", "device,ts,m\n" + strings.Repeat("a,1,1\n", 1<<18), 413},
	} {
		status, _, answer := a.call(t, "POST", "/api/readings"+c.path, c.contentType, []byte(c.body))
		require.Equal(t, c.status, status, answer)
	}
	bomb := zipped(t, strings.Repeat(" ", 1<<24))
	status, _, _ = a.call(t, "POST", "/api/readings", "application/json", bomb, "Content-Encoding", "gzip")
	require.Equal(t, 413, status)
}

// A long answer is streamed; it must be whole, and the connection good for the next request.
func TestHistory_OfALongRangeIsStreamedWhole(t *testing.T) {
	t.Parallel()
	a := startAPI(t, everyone)
	const rows = 60_000
	for start := 0; start < rows; start += 20_000 {
		var body strings.Builder
		body.WriteString("device,ts,m\n")
		for i := start; i < start+20_000; i++ {
			fmt.Fprintf(&body, "a,%d,%d.5\n", 1_000_000+i*1000, i)
		}
		status, _, answer := a.call(t, "POST", "/api/readings", "text/csv", []byte(body.String()))
		require.Equal(t, 200, status, answer)
		if start == 0 {
			a.FoldAll(t)
		}
	}
	for range 2 {
		status, header, answer := a.call(t, "GET", "/api/readings?from=0&to=now&format=csv", "", nil)
		require.Equal(t, 200, status)
		require.Empty(t, header.Get("Content-Length"), "an answer of this size must not be built whole")
		lines, err := csv.NewReader(strings.NewReader(answer)).ReadAll()
		require.NoError(t, err)
		require.Len(t, lines, rows+1)
		require.Equal(t, []string{"a", "m", "1970-01-01T16:56:39.000Z", "59999.5"}, lines[rows])
	}
	// One who leaves in the middle ends the query; its permit is free again.
	for range 10 {
		request, err := http.NewRequestWithContext(t.Context(), "GET", a.url+"/api/readings?from=0&to=now", nil)
		require.NoError(t, err)
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		_, err = io.CopyN(io.Discard, response.Body, 1000)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
	}
	status, _, _ := a.call(t, "GET", "/api/readings?device=a&limit=5&from=0", "", nil)
	require.Equal(t, 200, status)
}

func TestScopes_AreCheckedOnEveryPath(t *testing.T) {
	t.Parallel()
	reader := startAPI(t, access.Principal{Scopes: []access.Scope{access.ReadingsRead}})
	status, _, _ := reader.call(t, "POST", "/api/readings", "application/json", []byte(`{}`))
	require.Equal(t, 403, status)
	writer := startAPI(t, access.Principal{Scopes: []access.Scope{access.ReadingsWrite}})
	for _, path := range []string{"/api/readings", "/api/readings/latest"} {
		status, _, _ := writer.call(t, "GET", path, "", nil)
		require.Equal(t, 403, status)
	}
}

func TestReceipt_CountsWhatCanBeReadBack(t *testing.T) {
	t.Parallel()
	a := startAPI(t, everyone)
	for body, want := range map[string]string{
		strings.Repeat(`{"device":"a","values":{"m":1}}`+"\n", 100):                            `{"accepted":100,"seq":`,
		strings.Repeat(`{"device":"b","ts":5,"values":{"m":1,"n":9007199254740993}}`+"\n", 10): `{"accepted":2,"overwritten":18,"rounded":10,"seq":`,
		`{"device":"c","values":{"m":null}}`:                                                   `{"accepted":0}`,
	} {
		status, _, answer := a.call(t, "POST", "/api/readings", "application/x-ndjson", []byte(body))
		require.Equal(t, 200, status, answer)
		require.Contains(t, answer, want)
	}
	for device, want := range map[string]int{"a": 100, "b": 2, "c": 0} {
		status, _, answer := a.call(t, "GET", "/api/readings?from=0&to=4102444800000&format=ndjson&device="+device, "", nil)
		require.Equal(t, 200, status, answer)
		require.Equal(t, want, strings.Count(answer, "\n"))
	}
}

func TestRejected_TooManyEndARequest(t *testing.T) {
	t.Parallel()
	a := startAPI(t, everyone)
	good, bad := `{"device":"a","ts":5,"values":{"m":1}}`+"\n", strings.Repeat("x\n", 500_000)
	for query, want := range map[string]string{
		"":               "at least 101 of the first 102 readings are not valid; nothing was stored, and the rest was not read (the first 100 are listed)",
		"?on_error=skip": "at least 10001 of the first 10002 readings are not valid; nothing was stored, and the rest was not read (the first 100 are listed)",
	} {
		status, _, answer := a.call(t, "POST", "/api/readings"+query, "application/x-ndjson", []byte(good+bad))
		require.Equal(t, 422, status)
		require.Contains(t, answer, want)
	}
	status, answer := a.write(t, "/write", "m,host=a value=1\n"+bad)
	require.Equal(t, 422, status)
	require.Contains(t, answer.Message, "at least 10001 of the first 10002 readings are not valid; nothing was stored")
	require.Empty(t, a.stored(t))
}
