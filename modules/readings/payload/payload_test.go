package payload_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/modules/readings/instant"
	"telltale/modules/readings/payload"
	"telltale/platform/fault"
)

const (
	asJSON   = "application/json"
	asNDJSON = "application/x-ndjson"
	asCSV    = "text/csv"
)

var now = time.UnixMilli(1_700_000_000_000)

// names resolves every device and metric and remembers which series is which; names that begin with ! are errors.
type names struct {
	device string
	series map[string]int32
	lookup int
}

func (n *names) Device(id []byte) error {
	n.device, n.lookup = string(id), n.lookup+1
	if n.device[0] == '!' {
		return fault.InvalidField("device", "no such device")
	}
	return nil
}

func (n *names) Series(metric []byte) (int32, error) {
	n.lookup++
	if len(metric) > 0 && metric[0] == '!' {
		return 0, fmt.Errorf("100%% no such metric")
	}
	if n.series == nil {
		n.series = make(map[string]int32)
	}
	key := n.device + " " + string(metric)
	if _, ok := n.series[key]; !ok {
		n.series[key] = int32(len(n.series))
	}
	return n.series[key], nil
}

// decode decodes and returns the accepted readings as text, one `item device metric ts value` each.
func decode(t *testing.T, contentType, data string) ([]string, *payload.Body, error) {
	t.Helper()
	var d payload.Decoder
	n := &names{}
	body, err := d.Decode(payload.Request{ContentType: contentType, Data: []byte(data), MaxBytes: 1 << 20, Now: now, Earliest: time.UnixMilli(instant.Min)}, n)
	if err != nil {
		return nil, nil, err
	}
	byID := make(map[int32]string)
	for name, id := range n.series {
		byID[id] = name
	}
	require.Len(t, body.TS, len(body.Series))
	require.Len(t, body.Value, len(body.Series))
	require.Len(t, body.Item, len(body.Series))
	var out []string
	for i, id := range body.Series {
		out = append(out, fmt.Sprintf("%d %s %d %v", body.Item[i], byID[id], body.TS[i], body.Value[i]))
	}
	return out, body, nil
}

func TestDecoder_ReadsEveryFormat(t *testing.T) {
	t.Parallel()
	want := []string{
		"0 a temperature 1762128000000 21.5", "0 a open 1762128000000 1",
		"1 b temperature 1762128000250 -3",
		"2 b temperature 1700000000000 0.001",
	}
	for name, c := range map[string]struct{ contentType, data string }{
		"JSON": {asJSON, `{"readings":[
			{"device":"a","ts":1762128000000,"values":{"temperature":21.5,"open":true}},
			{"device":"b","ts":"2025-11-03T01:00:00.2509+01:00","values":{"temperature":-3}},
			{"device":"b","values":{"temperature":1e-3}}
		]}`},
		"JSON with keys in any order and escapes": {asJSON, "\ufeff" + `{ "readings" : [
			{"values":{"temperatur\u0065":21.50,"open":true},"ts":"1762128000000","device":"\u0061"},
			{"ts":"2025-11-03 00:00:00.25Z","values":{"temperature":-3.0},"device":"b"} ,
			{"ts":null,"device":"b","values":{"temperature":0.1E-2}}]} `},
		"NDJSON": {asNDJSON, `{"device":"a","ts":1762128000000,"values":{"temperature":21.5,"open":true}}

{"device":"b","ts":"2025-11-03T00:00:00.25Z","values":{"temperature":-3}}` + "\r\n  \n" +
			`{"device":"b","values":{"temperature":0.001}}`},
		"CSV": {asCSV, "device,ts,temperature,open\na,1762128000000,21.5,true\n" +
			"b,2025-11-03T00:00:00.25Z,-3,\nb,,0.001,"},
		"CSV in another order, quoted, CRLF": {asCSV + "; charset=UTF-8; header=present", "\ufefftemperature,\"device\",open, ts\r\n\r\n" +
			"21.5,\"a\",TRUE,\"1762128000000\"\r\n\"-3.0\",b,\"\",2025-11-03T00:00:00.25z\r\n1E-3 , b ,,\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, body, err := decode(t, c.contentType, c.data)
			require.NoError(t, err)
			require.Empty(t, body.Rejects)
			require.Equal(t, want, got)
			require.Equal(t, 3, body.Items)
			require.NoError(t, body.Fault())
		})
	}
}

func TestDecoder_RejectsAnItemAndKeepsTheOthers(t *testing.T) {
	t.Parallel()
	for item, want := range map[string]string{
		`5`:                               `: is a number; a reading is an object, its keys are "device", "ts" and "values" (or "metric" and "value")`,
		`{}`:                              `: is empty; its keys are "device", "ts" and "values" (or "metric" and "value")`,
		`{"values":{"m":1}}`:              `.device: is missing`,
		`{"device":"d"}`:                  `.values: is missing`,
		`{"device":5,"values":{"m":1}}`:   `.device: is a number; a device's id is a string`,
		`{"device":"","values":{"m":1}}`:  `.device: is empty; give the device's id`,
		`{"device":"!","values":{"m":1}}`: `.device: no such device`,
		"{\"device\":\"\xff\",\"values\":{\"m\":1}}":                             `.device: is not valid Unicode: "�"`,
		`{"device":"\ud800","values":{"m":1}}`:                                   `.device: is not valid Unicode: "�"`,
		`{"device":"d","device":"d","values":{"m":1}}`:                           `.device: stands twice in one reading; give it once`,
		`{"device":"d","timestamp":1,"values":{"m":1}}`:                          `.timestamp: is not known, and looks like a time: the key of a reading's time is "ts"; its keys are "device", "ts" and "values" (or "metric" and "value")`,
		`{"device":"d","ts":"soon","values":{"m":1}}`:                            `.ts: "soon": give RFC 3339 with an offset (2026-11-01T00:00:00Z) or Unix milliseconds as an integer`,
		`{"device":"d","ts":1.5,"values":{"m":1}}`:                               `.ts: "1.5": give RFC 3339 with an offset (2026-11-01T00:00:00Z) or Unix milliseconds as an integer`,
		`{"device":"d","ts":"2026-11-01T00:00:00","values":{"m":1}}`:             `.ts: "2026-11-01T00:00:00": give the offset from UTC too: Z or ±hh:mm`,
		`{"device":"d","ts":-1,"values":{"m":1}}`:                                `.ts: "-1": is before 1970; times of readings lie between 1971-01-01 and 2200-01-01; is the sender's clock set?`,
		`{"device":"d","ts":99999999999999999999999,"values":{"m":1}}`:           `.ts: "99999999999999999999999": is after the year 9999; times of readings lie between 1971-01-01 and 2200-01-01; is the sender's clock set?`,
		`{"device":"d","ts":"2200-01-01T00:00:00Z","values":{"m":1}}`:            `.ts: "2200-01-01T00:00:00Z": times of readings lie between 1971-01-01 and 2200-01-01; is the sender's clock set?`,
		`{"device":"d","ts":true,"values":{"m":1}}`:                              `.ts: is a boolean; give RFC 3339 with an offset (2026-11-01T00:00:00Z) or Unix milliseconds as an integer`,
		`{"device":"d","values":{}}`:                                             `.values: is empty; give at least one metric`,
		`{"device":"d","values":[1]}`:                                            `.values: is an array; give an object of metrics and their values`,
		`{"device":"d","values":{"m":1},"values":{"m":1}}`:                       `.values: stands twice in one reading; give it once`,
		`{"device":"d","values":{"k":1,"m":"1"}}`:                                `.values.m: is a string; a value is a number or a boolean`,
		`{"values":{"m":{"deep":[1,{"er":null}]}},"device":"d"}`:                 `.values.m: is an object; a value is a number or a boolean`,
		`{"device":"d","values":{"m":1e999}}`:                                    `.values.m: 1e999 is too large for a float64`,
		`{"device":"d","values":{"m":1,"k":2,"m":1}}`:                            `.values.m: stands twice in one reading; give it once`,
		`{"device":"d","values":{"m":1,"!":2}}`:                                  `.values.!: 100% no such metric`,
		`{"device":"d","values":{"\udc00":2}}`:                                   `.values.�: is not valid Unicode: "�"`,
		`{"device":"d","values":{"` + strings.Repeat("é", 40) + `":"x"}}`:        `.values.` + strings.Repeat("é", 32) + `…: is a string; a value is a number or a boolean`,
		`{"device":"d","ts":"` + strings.Repeat("9", 70) + `","values":{"m":1}}`: `.ts: "` + strings.Repeat("9", 64) + `…": is after the year 9999; times of readings lie between 1971-01-01 and 2200-01-01; is the sender's clock set?`,
	} {
		t.Run(item, func(t *testing.T) {
			t.Parallel()
			good := `{"device":"d","ts":1,"values":{"m":1}}`
			kept := []string{"0 d m 1 1", "2 d m 1 1"}

			got, body, err := decode(t, asJSON, `{"readings":[`+good+`,`+item+`,`+good+`]}`)
			require.NoError(t, err)
			require.Equal(t, kept, got)
			require.Equal(t, 3, body.Items)
			require.Equal(t, 1, body.Rejected)
			require.Len(t, body.Rejects, 1)
			r := body.Rejects[0]
			require.Equal(t, 1, r.Index)
			require.Equal(t, `readings[1]`+want, r.Field+": "+r.Reason)

			got, body, err = decode(t, asNDJSON, good+"\n\n"+item+"\n"+good+"\n")
			require.NoError(t, err)
			require.Equal(t, kept, got)
			require.Equal(t, payload.Reject{Index: 1, Field: r.Field, Reason: "line 3: " + r.Reason}, body.Rejects[0])
		})
	}
}

func TestDecoder_RejectsABrokenLineAndKeepsTheOthers(t *testing.T) {
	t.Parallel()
	good := `{"device":"d","ts":1,"values":{"m":1}}`
	for line, reason := range map[string]string{
		`{"device":"d","ts":1,"val`:                    `is not valid JSON: unexpected end within a string at byte 25 of the line`,
		`{"device":"d","ts":1,"values":{"m":1}`:        `is not valid JSON: unexpected end, expected a comma or } at byte 37 of the line`,
		good + `{`:                                     `is not valid JSON: unexpected "{", expected the end of the line at byte 38 of the line`,
		`{"device":"d","ts":01,"values":{"m":1}}`:      `is not valid JSON: unexpected "1", expected a digit at byte 20 of the line`,
		`{"values":{"m":1},"device":"d","ts":nul}`:     `is not valid JSON: unexpected "n", expected a value at byte 36 of the line`,
		"{\"device\":\"d\x00\"}":                       `is not valid JSON: control character in a string at byte 12 of the line`,
		`{"device":"d","values":{"m":1}} ` + "\x00":    `is not valid JSON: unexpected "\x00", expected the end of the line at byte 32 of the line`,
		`{"x":` + strings.Repeat("[", 70) + `}`:        ``,
		`{"device":"\x"}`:                              `is not valid JSON: unknown escape in a string at byte 12 of the line`,
		`{"device":"\u00g0"}`:                          `is not valid JSON: expected four hexadecimal digits after \u at byte 13 of the line`,
		`nonsense`:                                     `is not JSON; a reading is an object, its keys are "device", "ts" and "values" (or "metric" and "value")`,
		`{"device" "d"}`:                               `is not valid JSON: unexpected "\"", expected a colon at byte 10 of the line`,
		`{device:"d"}`:                                 `is not valid JSON: unexpected "d", expected a key in quotes at byte 1 of the line`,
		`{"device":"d","values":{"m":-}}`:              `is not valid JSON: unexpected "}", expected a digit at byte 29 of the line`,
		`{"device":"d","values":{"m":1.}}`:             `is not valid JSON: unexpected "}", expected a digit at byte 30 of the line`,
		`{"device":"d","values":{"m":1},}`:             `is not valid JSON: unexpected "}", expected a key in quotes at byte 31 of the line`,
		`{"device":"d","values":{"m":NaN}}`:            ``,
		`{"device":"d","values":{"m":1}} {"device":1}`: `is not valid JSON: unexpected "{", expected the end of the line at byte 32 of the line`,
	} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			got, body, err := decode(t, asNDJSON, good+"\n"+line+"\n"+good)
			require.NoError(t, err)
			require.Equal(t, []string{"0 d m 1 1", "2 d m 1 1"}, got)
			require.Len(t, body.Rejects, 1)
			require.Equal(t, 1, body.Rejects[0].Index)
			if reason != "" {
				require.Equal(t, "line 2: "+reason, body.Rejects[0].Reason)
			}
		})
	}
}

func TestDecoder_RejectsARowAndKeepsTheOthers(t *testing.T) {
	t.Parallel()
	for row, want := range map[string]string{
		`d,1,1`:           `: line 4: has 3 cells; the header has 4`,
		`d,1,1,2,3`:       `: line 4: has 5 cells; the header has 4`,
		`,1,1,2`:          `.device: line 4: is empty; give the device's id`,
		`!,1,1,2`:         `.device: line 4: no such device`,
		"\xff,1,1,2":      `.device: line 4: is not valid UTF-8: "�"`,
		`d,1s,1,2`:        `.ts: line 4: "1s": give RFC 3339 with an offset (2026-11-01T00:00:00Z) or Unix milliseconds as an integer`,
		`d,1,1,NaN`:       `.values.k: line 4: "NaN" is no value; give a finite number with a decimal point, true, false or nothing`,
		`d,1,1,0x10`:      `.values.k: line 4: "0x10" is no value; give a finite number with a decimal point, true, false or nothing`,
		`d,1,1e999,1`:     `.values.m: line 4: "1e999" is no value; give a finite number with a decimal point, true, false or nothing`,
		`d,1,"1,5",1`:     `.values.m: line 4: "1,5" is no value; give a finite number with a decimal point, true, false or nothing`,
		`d,1,1"2",1`:      `: line 4: is not valid CSV: quotes within a cell that does not begin with them`,
		`d,1,"1"2,1`:      `: line 4: is not valid CSV: text after the quotes of a cell`,
		"d,1,\"1\n\",\"2": ``,
	} {
		t.Run(row, func(t *testing.T) {
			t.Parallel()
			got, body, err := decode(t, asCSV, "device,ts,m,k\nd,1,+1.50,\n\n"+row+"\nd,1,.5,007\n")
			if want == "" {
				require.ErrorContains(t, err, "the quotes opened in line 4 are never closed")
				return
			}
			require.NoError(t, err)
			require.Equal(t, []string{"0 d m 1 1.5", "2 d m 1 0.5", "2 d k 1 7"}, got)
			require.Len(t, body.Rejects, 1)
			require.Equal(t, 1, body.Rejects[0].Index)
			require.Equal(t, "readings[1]"+want, body.Rejects[0].Field+": "+body.Rejects[0].Reason)
		})
	}
}

func TestDecoder_RefusesAWholeBody(t *testing.T) {
	t.Parallel()
	item := `{"device":"d","values":{"m":1}}`
	for _, c := range []struct{ contentType, data, want string }{
		{asJSON, ``, `is empty`},
		{asJSON, " \n", `is empty`},
		{asJSON, `[` + item + `]`, `must be an object {"readings":[…]}, is an array`},
		{asJSON, `{}`, `has no "readings"`},
		{asJSON, `{"readings":[]}`, `has no readings`},
		{asJSON, `{"readings":{}}`, `"readings" must be an array, is an object`},
		{asJSON, `{"reading":[` + item + `]}`, `has the unknown key "reading"; its only key is "readings"`},
		{asJSON, `{"readings":[` + item + `],"readings":[]}`, `has the key "readings" twice`},
		{asJSON, `{"readings":[` + item + `],}`, `is not valid JSON: unexpected "}", expected a key in quotes at byte 46 (line 1)`},
		{asJSON, "{\"readings\":[\n" + item + ",\n]}", `is not valid JSON: unexpected "]", expected a value at byte 47 (line 3)`},
		{asJSON, `{"readings":[` + item, `is not valid JSON: unexpected end, expected a comma or ] at byte 44 (line 1)`},
		{asJSON, `{"readings":[` + item + `]}x`, `is not valid JSON: unexpected "x", expected the end at byte 46 (line 1)`},
		{asJSON, `{`, `is not valid JSON: unexpected end, expected a key in quotes at byte 1 (line 1)`},
		{asJSON, `{"readings":[` + strings.Repeat("[", 65) + strings.Repeat("]", 65) + `]}`, `is not valid JSON: nested more than 64 levels deep at byte 77 (line 1)`},
		{asNDJSON, "\n \n", `has no readings`},
		{asCSV, "\n\r\n", `is empty`},
		{asCSV, "device,ts,m\n", `has no readings`},
		{asCSV, "device,ts,m\nd,1,\n", `has no readings`},
		{asCSV, "ts,m\n1,1\n", `has no column "device" in its header, whose columns are device, perhaps ts, and metrics`},
		{asCSV, "device,ts\nd,1\n", `has no column of a metric in its header`},
		{asCSV, "device,m,ts,\"m\"\n", `names the column "m" twice in its header`},
		{asCSV, "device,m,\n", `has no name for column 3 in its header`},
		{asCSV, "device,\xff\n", `names column 2 "�", which is not valid UTF-8`},
		{asCSV, "device,m\"\"\n", `has a header that is not valid CSV: quotes within a cell that does not begin with them`},
		{asCSV, "device,\"m\n", `is not valid CSV: the quotes opened in line 1 are never closed`},
	} {
		t.Run(c.data, func(t *testing.T) {
			t.Parallel()
			_, _, err := decode(t, c.contentType, c.data)
			f := fault.As(err)
			require.NotNil(t, f)
			require.Equal(t, fault.Invalid, f.Kind)
			require.Equal(t, []fault.Field{{Name: "body", Reason: c.want}}, f.Fields)
		})
	}
}

func TestDecoder_CountsRejectsBeyondThoseItLists(t *testing.T) {
	t.Parallel()
	good, bad := `{"device":"d","ts":1,"values":{"m":1}}`, `{"device":"d","values":{"m":"1"}}`
	_, body, err := decode(t, asJSON, `{"readings":[`+good+strings.Repeat(","+bad, 250)+`]}`)
	require.NoError(t, err)
	require.Equal(t, 250, body.Rejected)
	require.Len(t, body.Rejects, payload.MaxRejects)
	f := fault.As(body.Fault())
	require.Equal(t, fault.Invalid, f.Kind)
	require.Equal(t, "250 of 251 readings are not valid; nothing was stored (the first 100 are listed)", f.Message)
	require.Len(t, f.Fields, 100)
	require.Equal(t, "readings[100].values.m", f.Fields[99].Name)
}

func TestDecoder_FindsARepeatedMetricAmongMany(t *testing.T) {
	t.Parallel()
	var values []string
	for i := range 100 {
		values = append(values, fmt.Sprintf(`"m%d":%d`, i, i))
	}
	wide := func(more ...string) string {
		return `{"device":"d","values":{` + strings.Join(append(append([]string{}, values...), more...), ",") + `}}`
	}
	for _, again := range []int{0, 31, 32, 33, 99} {
		_, body, err := decode(t, asNDJSON, wide()+"\n"+wide(fmt.Sprintf(`"m%d":1`, again))+"\n"+wide())
		require.NoError(t, err)
		require.Len(t, body.Series, 200)
		require.Equal(t, fmt.Sprintf("readings[1].values.m%d", again), body.Rejects[0].Field)
	}
}

func TestDecoder_AsksAboutADeviceOnceInARow(t *testing.T) {
	t.Parallel()
	item := `{"device":"d","values":{"m":1,"k":2}}` + "\n"
	var d payload.Decoder
	for _, c := range []struct{ contentType, data string }{
		{asNDJSON, strings.Repeat(item, 50)}, {asCSV, "m,device,k\n" + strings.Repeat("1,d,2\n", 50)},
	} {
		n := &names{}
		body, err := d.Decode(payload.Request{ContentType: c.contentType, Data: []byte(c.data), MaxBytes: 1 << 20, Now: now, Earliest: time.UnixMilli(instant.Min)}, n)
		require.NoError(t, err)
		require.Len(t, body.Series, 100)
		require.Equal(t, 3, n.lookup)
	}
}

func zip(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return b.Bytes()
}

func TestDecoder_ReadsGzipWithinItsLimit(t *testing.T) {
	t.Parallel()
	text := strings.Repeat(`{"device":"d","values":{"m":1}}`+"\n", 20_000)
	body := zip(t, text)
	half := len(text) / 31 / 2 * 31
	twoMembers := append(zip(t, text[:half]), zip(t, text[half:])...)
	damaged := bytes.Clone(body)
	damaged[len(damaged)-6] ^= 1

	for name, c := range map[string]struct {
		encoding string
		data     []byte
		max      int
		kind     fault.Kind
		reason   string
	}{
		"just fits":           {"gzip", body, len(text), 0, ""},
		"in two members":      {" X-GZIP", twoMembers, len(text), 0, ""},
		"a byte too large":    {"gzip", body, len(text) - 1, fault.TooLarge, "larger than"},
		"plain and too large": {"identity", []byte(text), len(text) - 1, fault.TooLarge, "larger than"},
		"cut off":             {"gzip", body[:len(body)-9], len(text), fault.Invalid, "is not a valid gzip stream: unexpected EOF"},
		"damaged":             {"gzip", damaged, len(text), fault.Invalid, "is not a valid gzip stream: invalid checksum"},
		"followed by garbage": {"gzip", append(bytes.Clone(body), "tail"...), len(text), fault.Invalid, "is not a valid gzip stream"},
		"not gzip at all":     {"gzip", []byte(text), len(text), fault.Invalid, "is not a valid gzip stream: invalid header"},
		"empty":               {"gzip", nil, len(text), fault.Invalid, "has no readings"},
		"another encoding":    {"br", body, len(text), fault.UnsupportedMedia, `content encoding "br" is not read here`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := payload.Get()
			defer payload.Put(d)
			for range 2 { // a decoder survives what it was given
				got, err := d.Decode(payload.Request{
					ContentType: asNDJSON, ContentEncoding: c.encoding, Data: c.data, MaxBytes: c.max, Now: now, Earliest: time.UnixMilli(instant.Min),
				}, &names{})
				if c.reason == "" {
					require.NoError(t, err)
					require.Equal(t, 20_000, got.Items)
					continue
				}
				require.ErrorContains(t, err, c.reason)
				require.Equal(t, c.kind, fault.KindOf(err))
			}
		})
	}
}

func TestDecoder_TellsFormatsByContentType(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]payload.Format{
		"application/json": payload.JSON, "Application/JSON; charset=utf-8": payload.JSON,
		"application/x-ndjson": payload.NDJSON, "application/jsonl": payload.NDJSON, "application/ndjson": payload.NDJSON,
		"text/csv": payload.CSV, `text/csv; header=present; charset="UTF-8"`: payload.CSV,
	} {
		got, err := payload.FormatOf(header)
		require.NoError(t, err, header)
		require.Equal(t, want, got, header)
	}
	for _, header := range []string{
		"", "text/plain", "application/x-www-form-urlencoded", "text/csv; header=absent", "application/json; charset=latin1", "json",
		"application/json; =", "application/vnd.api+json",
	} {
		_, err := payload.FormatOf(header)
		require.Equal(t, fault.UnsupportedMedia, fault.KindOf(err), header)
	}
}

func TestCSV_OfTooManyCellsIsRefused(t *testing.T) {
	t.Parallel()
	cells := func(n int) string { return strings.Repeat(",1", n-2) }
	_, _, err := decode(t, asCSV, "device,ts"+cells(16_384)+"\n")
	require.NotContains(t, err.Error(), "cells")
	_, _, err = decode(t, asCSV, "device,ts"+cells(16_385)+"\n")
	require.ErrorContains(t, err, "has a header that is not valid CSV: more than 16384 cells")
	_, body, err := decode(t, asCSV, "device,ts,m\nd,1762128000000"+cells(200_000)+"\nd,1762128000000,2\n")
	require.NoError(t, err)
	require.Equal(t, 1, body.Rejected)
	require.Contains(t, body.Rejects[0].Reason, "line 2: is not valid CSV: more than 16384 cells")
	require.Equal(t, []float64{2}, body.Value)
}
