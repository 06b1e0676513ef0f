package readings

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"telltale/modules/auth"
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

func TestLineProtocolIsStoredByTheCallsOfBothVersions(t *testing.T) {
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

func TestAWriteStoresTheGoodLinesAndNamesTheOthers(t *testing.T) {
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

func TestAWriteIsRefusedAsClientsOfInfluxDBUnderstand(t *testing.T) {
	t.Parallel()
	a := startAPI(t, everyone)
	for query, want := range map[string]string{
		"precision=min":    `the request is not valid: precision: must be ns, us, ms, s, m or h, not "min"`,
		"on_error=maybe":   `the request is not valid: on_error: must be "partial" (store the good lines`,
		"buket=b":          `the request is not valid: buket: is not a parameter of this call; it knows org, orgID, bucket`,
		"device_tag=":      `the request is not valid: device_tag: must not be empty`,
		"org=o&bucket=any": `the request is not valid: body: has no readings`,
	} {
		status, answer := a.write(t, "/api/v2/write?"+query, "# nothing")
		require.Equal(t, 422, status)
		require.Contains(t, answer.Message, want)
	}
	status, answer := a.write(t, "/api/v2/write", "x", "Content-Encoding", "br")
	require.Equal(t, 415, status)
	require.Equal(t, "unsupported media type", answer.Code)

	writer := startAPI(t, auth.Principal{Subject: "w", Scopes: []auth.Scope{auth.ReadingsWrite}, Devices: []string{"a"}})
	status, answer = writer.write(t, "/api/v2/write", "m,device=b value=1")
	require.Equal(t, 403, status)
	require.Equal(t, "forbidden", answer.Code)
	require.Equal(t, "nothing was stored: 1 lines are not valid: line 1: device is not covered by this token", answer.Message)
	status, answer = writer.write(t, "/api/v2/write", "# of a new device\nm,device=a value=1")
	require.Equal(t, 422, status)
	require.Equal(t, "nothing was stored: 1 lines are not valid: line 2: device is not registered, and registering devices takes the scope devices:write",
		answer.Message)

	reader := startAPI(t, auth.Principal{Subject: "r", Scopes: []auth.Scope{auth.ReadingsRead}})
	status, answer = reader.write(t, "/write", "m,device=b value=1")
	require.Equal(t, 403, status)
	require.Contains(t, answer.Message, "readings:write")
}
