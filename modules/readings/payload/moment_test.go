package payload_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/modules/readings/instant"
	"telltale/modules/readings/payload"
)

const mistimed = "times of readings lie between 1971-01-01 and 2200-01-01; is the sender's clock set?"

// reasonOf returns why the only item of a body is rejected.
func reasonOf(t *testing.T, req payload.Request) string {
	t.Helper()
	var d payload.Decoder
	req.MaxBytes, req.Now = 1<<20, now
	body, err := d.Decode(req, &names{})
	require.NoError(t, err)
	require.Empty(t, body.Series)
	require.Equal(t, 1, body.Rejected)
	return body.Rejects[0].Reason
}

func TestTimestamp_NamesTheUnitItWasProbablyMeantIn(t *testing.T) {
	t.Parallel()
	for ts, want := range map[string]string{
		`1793534400`:                  `"1793534400": is 1970-01-21T18:12:14.4Z; it looks like seconds: send milliseconds`,
		`"1793534400"`:                `"1793534400": is 1970-01-21T18:12:14.4Z; it looks like seconds: send milliseconds`,
		`1793534400.5`:                `"1793534400.5": looks like seconds with a fraction; send milliseconds as an integer`,
		`"1793534400.123456"`:         `"1793534400.123456": looks like seconds with a fraction; send milliseconds as an integer`,
		`1793534400000.0`:             `"1793534400000.0": looks like milliseconds with a fraction; send milliseconds as an integer`,
		`1793534400000000`:            `"1793534400000000": is after the year 9999; it looks like microseconds: send milliseconds`,
		`1793534400000000000`:         `"1793534400000000000": is after the year 9999; it looks like nanoseconds: send milliseconds`,
		`"1793534400000000000"`:       `"1793534400000000000": is after the year 9999; it looks like nanoseconds: send milliseconds`,
		`31535999999`:                 `"31535999999": is 1970-12-31T23:59:59.999Z; ` + mistimed,
		`12000`:                       `"12000": is 1970-01-01T00:00:12Z; ` + mistimed,
		`0`:                           `"0": is 1970-01-01T00:00:00Z; ` + mistimed,
		`-1`:                          `"-1": is before 1970; ` + mistimed,
		`-1793534400000`:              `"-1793534400000": is before 1970; ` + mistimed,
		`9999999999999`:               `"9999999999999": is 2286-11-20T17:46:39.999Z; ` + mistimed,
		`"1970-01-21T18:12:14.4Z"`:    `"1970-01-21T18:12:14.4Z": ` + mistimed,
		`"1971-01-01T00:59:59+01:00"`: `"1971-01-01T00:59:59+01:00": ` + mistimed,
		`"0001-01-01T00:00:00Z"`:      `"0001-01-01T00:00:00Z": ` + mistimed,
		`1.7935344e9`:                 `"1.7935344e9": give RFC 3339 with an offset (2026-11-01T00:00:00Z) or Unix milliseconds as an integer`,
	} {
		item := `{"device":"d","ts":` + ts + `,"values":{"m":1}}`
		require.Equal(t, want, reasonOf(t, payload.Request{ContentType: asJSON, Data: []byte(`{"readings":[` + item + `]}`)}), ts)
		require.Equal(t, "line 1: "+want, reasonOf(t, payload.Request{ContentType: asNDJSON, Data: []byte(item)}), ts)
		require.Equal(t, "line 2: "+want, reasonOf(t, payload.Request{ContentType: asCSV, Data: []byte("device,ts,m\nd," + ts + ",1\n")}), ts)
	}
}

func TestTimestamp_OfALineNamesThePrecision(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		unit       time.Duration
		text, want string
	}{
		{0, "1793534400", "is 1970-01-01T00:00:01.793Z; it looks like seconds: say precision=s"},
		{0, "1793534400000", "is 1970-01-01T00:29:53.534Z; it looks like milliseconds: say precision=ms"},
		{0, "1793534400000000", "is 1970-01-21T18:12:14.4Z; it looks like microseconds: say precision=us"},
		{0, "31535999999999999", "is 1970-12-31T23:59:59.999Z; " + mistimed},
		{0, "-1793534400000000000", "is before 1970; " + mistimed},
		{0, "0", "is 1970-01-01T00:00:00Z; " + mistimed},
		{0, "99999999999999999999", "is 2262-04-11T23:47:16.854Z; " + mistimed},
		{time.Microsecond, "1793534400", "is 1970-01-01T00:29:53.534Z; it looks like seconds: say precision=s"},
		{time.Microsecond, "1793534400000000000", "is after the year 9999; it looks like nanoseconds: say precision=ns"},
		{time.Millisecond, "1793534400", "is 1970-01-21T18:12:14.4Z; it looks like seconds: say precision=s"},
		{time.Millisecond, "1793534400000000000", "is after the year 9999; it looks like nanoseconds: say precision=ns"},
		{time.Second, "1793534400000", "is after the year 9999; it looks like milliseconds: say precision=ms"},
		{time.Second, "1793534400000000000", "is after the year 9999; it looks like nanoseconds: say precision=ns"},
		{time.Second, "31535999", "is 1970-12-31T23:59:59Z; " + mistimed},
		{time.Minute, "1793534400", "is 5380-02-03T00:00:00Z; it looks like seconds: say precision=s"},
		{time.Hour, "1793534400", "is after the year 9999; it looks like seconds: say precision=s"},
		{time.Hour, "3", "is 1970-01-01T03:00:00Z; " + mistimed},
	} {
		reason := reasonOf(t, payload.Request{
			LineProtocol: &payload.LineProtocol{Unit: c.unit}, Data: []byte("m,host=h value=1 " + c.text),
		})
		require.Equal(t, "the time "+c.text+" "+c.want, reason, "%s %s", c.unit, c.text)
	}
}

func TestTimestamp_IsNotAheadOfTheLatest(t *testing.T) {
	t.Parallel()
	latest := now.Add(24 * time.Hour)
	for contentType, data := range map[string]string{
		asJSON:   `{"readings":[{"device":"d","ts":1700086400001,"values":{"m":1}}]}`,
		asNDJSON: `{"device":"d","ts":"2099-01-01T00:00:00Z","values":{"m":1}}`,
		asCSV:    "device,ts,m\nd,1700086400001,1",
		"lines":  "m,host=d value=1 1700086400001",
	} {
		req := payload.Request{ContentType: contentType, Data: []byte(data), Latest: latest}
		if contentType == "lines" {
			req.LineProtocol = &payload.LineProtocol{Unit: time.Millisecond}
		}
		require.Contains(t, reasonOf(t, req), "is after 2023-11-15T22:13:20Z, the latest time that is taken now (READINGS_MAX_AHEAD_DAYS); is the sender's clock right?")
	}
	got, body, err := decode(t, asNDJSON, `{"device":"d","ts":1700086400000,"values":{"m":1}}`)
	require.NoError(t, err)
	require.Empty(t, body.Rejects)
	require.Len(t, got, 1)
}

func TestTimestamp_OfTheFloorIsTaken(t *testing.T) {
	t.Parallel()
	var d payload.Decoder
	body, err := d.Decode(payload.Request{ContentType: asNDJSON, Data: []byte(`{"device":"d","ts":31536000000,"values":{"m":1}}`), MaxBytes: 100, Now: now}, &names{})
	require.NoError(t, err)
	require.Empty(t, body.Rejects)
	require.Equal(t, []int64{instant.Floor}, body.TS)
	require.Equal(t, "is 1970-01-21T18:12:14.4Z; it looks like seconds: send milliseconds", instant.TooEarly(1793534400))
	require.Equal(t, "is 1970-01-01T00:00:01Z; "+mistimed, instant.TooEarly(1000))
}
