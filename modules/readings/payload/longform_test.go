package payload_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// History is written in the long form: an export has to be something to import.
func TestLongForm_ReadsHistoryAsItIsWritten(t *testing.T) {
	t.Parallel()
	want := []string{"0 a temperature 1762128000000 21.5", "1 a temperature 1762128000250 -3", "2 b open 1700000000000 1"}
	for name, c := range map[string]struct{ contentType, data string }{
		"CSV": {asCSV, "device,metric,ts,value\na,temperature,2025-11-03T00:00:00.000Z,21.5\n" +
			"a,temperature,2025-11-03T00:00:00.250Z,-3\nb,open,,true\n"},
		"CSV in another order": {asCSV, "value, metric,ts,\"device\"\n21.5,temperature,1762128000000,a\n" +
			"-3,\"temperature\",1762128000250,a\n1,open,,b"},
		"NDJSON": {asNDJSON, `{"device":"a","metric":"temperature","ts":1762128000000,"value":21.5}
{"value":-3,"ts":1762128000250,"metric":"temp\u0065rature","device":"a"}
{"device":"b","value":true,"metric":"open"}`},
		"JSON, mixed with the other form": {asJSON, `{"readings":[{"device":"a","metric":"temperature","ts":1762128000000,"value":21.5},
			{"device":"a","ts":1762128000250,"values":{"temperature":-3}},{"metric":"open","device":"b","value":true}]}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, body, err := decode(t, c.contentType, c.data)
			require.NoError(t, err)
			require.Empty(t, body.Rejects)
			require.Equal(t, want, got)
		})
	}
}

func TestLongForm_ColumnMayBeAMetricCalledMetric(t *testing.T) {
	t.Parallel()
	got, body, err := decode(t, asCSV, "device,metric,value,more\na,1,2,3\n")
	require.NoError(t, err)
	require.Empty(t, body.Rejects)
	require.Equal(t, []string{"0 a metric 1700000000000 1", "0 a value 1700000000000 2", "0 a more 1700000000000 3"}, got)
}

func TestLongForm_SaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	for item, want := range map[string]string{
		`{"device":"d","metric":"m"}`:                        `.value: is missing`,
		`{"device":"d","value":1}`:                           `.metric: is missing`,
		`{"metric":"m","value":1}`:                           `.device: is missing`,
		`{"device":"d","metric":5,"value":1}`:                `.metric: is a number; a metric's name is a string`,
		`{"device":"d","metric":"!","value":1}`:              `.metric: 100% no such metric`,
		`{"device":"d","metric":"\ud800","value":1}`:         `.metric: is not valid Unicode: "�"`,
		`{"device":"d","metric":"m","value":"1"}`:            `.value: is a string; a value is a number or a boolean`,
		`{"device":"d","metric":"m","value":1e999}`:          `.value: 1e999 is too large for a float64`,
		`{"device":"d","metric":"m","metric":"m"}`:           `.metric: stands twice in one reading; give it once`,
		`{"device":"d","metric":"m","values":{"m":1}}`:       `.values: stands beside "metric" or "value"; give the one or the others`,
		`{"device":"d","values":{"m":1},"value":{"a":[{}]}}`: `.values: stands beside "metric" or "value"; give the one or the others`,
	} {
		t.Run(item, func(t *testing.T) {
			t.Parallel()
			got, body, err := decode(t, asJSON, `{"readings":[`+item+`,{"device":"d","metric":"m","ts":1,"value":1}]}`)
			require.NoError(t, err)
			require.Equal(t, []string{"1 d m 1 1"}, got)
			require.Len(t, body.Rejects, 1)
			require.Equal(t, "readings[0]"+want, body.Rejects[0].Field+": "+body.Rejects[0].Reason)
		})
	}
	_, body, err := decode(t, asCSV, "device,metric,ts,value\na,!,1,1\na,m,1,\na,m,x,1\na,\xff,1,1\n")
	require.NoError(t, err)
	var reasons []string
	for _, r := range body.Rejects {
		reasons = append(reasons, r.Field+" "+r.Reason)
	}
	require.Equal(t, []string{
		"readings[0].metric line 2: 100% no such metric",
		`readings[1].value line 3: "" is no value; give a finite number with a decimal point, true or false`,
		`readings[2].ts line 4: "x": give RFC 3339 with an offset (2026-11-01T00:00:00Z) or Unix milliseconds as an integer`,
		`readings[3].metric line 5: is not valid UTF-8: "�"`,
	}, reasons)
}
