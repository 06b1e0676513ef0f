package readings_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"telltale/modules/auth/access"
)

// wrote is the answer to an error of a write.
type wrote struct {
	Code, Message, Error string
	RequestID            string `json:"request_id"`
}

func (a *api) write(t *testing.T, path, body string, header ...string) (int, wrote) {
	t.Helper()
	status, got, text := a.call(t, "POST", path, "", []byte(body), header...)
	if status == 204 {
		require.Empty(t, text)
		return status, wrote{}
	}
	require.Equal(t, "application/json", got.Get("Content-Type"))
	var answer wrote
	require.NoError(t, json.Unmarshal([]byte(text), &answer))
	require.Equal(t, answer.Message, answer.Error)
	require.Equal(t, got.Get("X-Request-ID"), answer.RequestID)
	return status, answer
}

// stored returns everything there is, as NDJSON.
func (a *api) stored(t *testing.T) string {
	t.Helper()
	status, _, answer := a.call(t, "GET", "/api/readings?from=0&to=4102444800000&format=ndjson", "", nil)
	require.Equal(t, 200, status, answer)
	return answer
}

func TestInflux_LinesAreStoredByTheCallsOfBothVersions(t *testing.T) {
	t.Parallel()
	a := startAPI(t, everyone)
	status, _ := a.write(t, "/api/v2/write?org=o&bucket=b&precision=s", "temperature,device=a value=21.5 1793491201\n")
	require.Equal(t, 204, status)
	status, _ = a.write(t, "/write?db=x&rp=autogen&u=me&p=&precision=ms", "temperature,host=a value=22,s=\"text\" 1793491202000",
		"Content-Type", "application/x-www-form-urlencoded")
	require.Equal(t, 204, status)
	status, _ = a.write(t, "/api/v2/write", string(zipped(t, "temperature,device=b,room=1 value=23i 1793491203000000000")), "Content-Encoding", "gzip")
	require.Equal(t, 204, status)
	status, _ = a.write(t, "/api/v2/write?device_tag=id&precision=", "temperature,id=c value=t 1793491204000000000")
	require.Equal(t, 204, status)
	require.Equal(t, `{"device":"a","metric":"temperature","ts":1793491201000,"value":21.5}
{"device":"a","metric":"temperature","ts":1793491202000,"value":22}
{"device":"b","metric":"temperature;room=1","ts":1793491203000,"value":23}
{"device":"c","metric":"temperature","ts":1793491204000,"value":1}
`, a.stored(t))
	status, header, _ := a.call(t, "GET", "/ping", "", nil)
	require.Equal(t, 204, status)
	require.NotEmpty(t, header.Get("X-Influxdb-Version"))
}

func TestInflux_StoresTheGoodLinesAndNamesTheOthers(t *testing.T) {
	t.Parallel()
	a := startAPI(t, everyone)
	const body = "m,device=a value=1 1000000\nm value=2 2000000\n# note\nm,device=a value=3 3000000\nm,device=a value= 4000000\n"
	const bad = "line 2: no tag names the device: it takes host or device; " +
		"line 5: it is not line protocol: at column 18, field value has unrecognized type"

	status, answer := a.write(t, "/api/v2/write?on_error=fail", body)
	require.Equal(t, 422, status)
	require.Equal(t, "2 of 4 readings are not valid; nothing was stored: "+bad, answer.Message)
	require.Empty(t, a.stored(t))

	status, answer = a.write(t, "/api/v2/write", body)
	require.Equal(t, 422, status)
	require.Equal(t, "unprocessable entity", answer.Code)
	require.Equal(t, "partial write: 2 values were stored, 2 lines were not: "+bad, answer.Message)
	const stored = `{"device":"a","metric":"m","ts":1,"value":1}` + "\n" + `{"device":"a","metric":"m","ts":3,"value":3}` + "\n"
	require.Equal(t, stored, a.stored(t))

	status, _ = a.write(t, "/write?on_error=skip", body)
	require.Equal(t, 204, status)
	require.Equal(t, stored, a.stored(t))

	status, answer = a.write(t, "/write", strings.Repeat("m value=1\n", 200))
	require.Equal(t, 422, status)
	require.Contains(t, answer.Message, "nothing was stored: 200 lines are not valid: line 1: no tag")
	require.Contains(t, answer.Message, "line 5: no tag names the device: it takes host or device; and 95 more")
}

func TestInflux_AnswersWhatClientsAskBeforeTheyWrite(t *testing.T) {
	t.Parallel()
	a := startAPI(t, everyone)
	for _, path := range []string{"/write?db=x", "/api/v2/write?org=o&bucket=b"} {
		for _, nothing := range []string{"", "\n", "# nothing"} {
			status, _ := a.write(t, path, nothing)
			require.Equal(t, 204, status)
		}
		status, _ := a.write(t, path, "", "Content-Encoding", "gzip")
		require.Equal(t, 204, status)
	}
	const created, shown = `{"results":[{"statement_id":0}]}`,
		`{"results":[{"statement_id":0,"series":[{"name":"databases","columns":["name"],"values":[["ha"]]}]}]}`
	for _, c := range []struct{ method, path, body, want string }{
		{"GET", "/ping?verbose=true", "", `{"version":"`},
		{"HEAD", "/ping", "", ""},
		{"POST", "/query?q=CREATE+DATABASE+%22ha%22", "", created},
		{"POST", "/query", "q=create+database+ha+with+duration+7d&u=x&p=y", created},
		{"GET", "/query?q=SHOW%20DATABASES&db=ha", "", shown},
		{"POST", "/query?db=ha", "q=SHOW+DATABASES%3B", shown},
	} {
		status, _, answer := a.call(t, c.method, c.path, "application/x-www-form-urlencoded", []byte(c.body))
		require.Contains(t, []int{200, 204}, status, c.path)
		require.Contains(t, answer, c.want)
	}
	for _, path := range []string{"/query", "/query?q=DROP+DATABASE+x", "/query?q=select+*+from+m"} {
		status, _, answer := a.call(t, "POST", path, "", nil)
		require.Equal(t, 422, status)
		require.Contains(t, answer, `"error":"the request is not valid: q: `)
	}
	status, answer := a.write(t, "/write", strings.Repeat("#", 3<<20))
	require.Equal(t, 413, status)
	require.Equal(t, "request entity too large", answer.Code)
}

func TestInflux_LinesWithoutAHostAreOfTheirEntityOrBucket(t *testing.T) {
	t.Parallel()
	a := startAPI(t, everyone)
	status, _ := a.write(t, "/write?db=home&precision=ms", "°C,domain=sensor,entity_id=attic value=1 5\nm value=2 5\nm,host=living\\ room/left value=3 5")
	require.Equal(t, 204, status)
	status, _ = a.write(t, "/api/v2/write?bucket=my+bucket&precision=ms", "m value=4 5")
	require.Equal(t, 204, status)
	require.Equal(t, `{"device":"home","metric":"m","ts":5,"value":2}
{"device":"living%20room%2Fleft","metric":"m","ts":5,"value":3}
{"device":"my%20bucket","metric":"m","ts":5,"value":4}
{"device":"sensor.attic","metric":"°C","ts":5,"value":1}
`, a.stored(t))
	long := strings.Repeat("x", 500)
	status, _ = a.write(t, "/write", "m,host=h,tag="+long+" value=1")
	require.Equal(t, 204, status)
	status, answer := a.write(t, "/write", "m,host=h,tag="+long+long+" value=1")
	require.Equal(t, 422, status)
	require.Contains(t, answer.Message, "must be 1 to 512 bytes long")
}

func TestInflux_DottedNamesDoNotMeet(t *testing.T) {
	t.Parallel()
	a := startAPI(t, everyone)
	status, _ := a.write(t, "/write?precision=ms", "jvm.memory,host=dev heap.max=1 5\njvm.memory.heap,host=dev max=2 5\n")
	require.Equal(t, 204, status)
	require.Equal(t, `{"device":"dev","metric":"jvm.memory.heap%2Emax","ts":5,"value":1}
{"device":"dev","metric":"jvm.memory.heap.max","ts":5,"value":2}
`, a.stored(t))
}

func TestInflux_RefusesAsClientsUnderstand(t *testing.T) {
	t.Parallel()
	a := startAPI(t, everyone)
	for query, want := range map[string]string{
		"precision=min":  `the request is not valid: precision: must be ns, us, ms, s, m or h, not "min"`,
		"on_error=maybe": `the request is not valid: on_error: must be "partial" (store the good lines`,
		"buket=b":        `the request is not valid: buket: is not a parameter of this call; it knows org, orgID, bucket`,
		"device_tag=":    `the request is not valid: device_tag: must not be empty`,
	} {
		status, answer := a.write(t, "/api/v2/write?"+query, "# nothing")
		require.Equal(t, 422, status)
		require.Contains(t, answer.Message, want)
	}
	status, answer := a.write(t, "/api/v2/write", "x", "Content-Encoding", "br")
	require.Equal(t, 415, status)
	require.Equal(t, "unsupported media type", answer.Code)

	writer := startAPI(t, access.Principal{Subject: "w", Scopes: []access.Scope{access.ReadingsWrite}, Devices: []string{"a"}})
	status, answer = writer.write(t, "/api/v2/write", "m,device=b value=1")
	require.Equal(t, 403, status)
	require.Equal(t, "forbidden", answer.Code)
	require.Equal(t, "nothing was stored: 1 lines are not valid: line 1: device is not covered by this token", answer.Message)
	status, answer = writer.write(t, "/api/v2/write", "# of a new device\nm,device=a value=1")
	require.Equal(t, 422, status)
	require.Equal(t, "nothing was stored: 1 lines are not valid: line 2: device is not registered, and registering devices takes the scope devices:write",
		answer.Message)

	reader := startAPI(t, access.Principal{Subject: "r", Scopes: []access.Scope{access.ReadingsRead}})
	status, answer = reader.write(t, "/write", "m,device=b value=1")
	require.Equal(t, 403, status)
	require.Contains(t, answer.Message, "readings:write")
}
