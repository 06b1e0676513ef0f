package payload

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"maps"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/modules/readings/csvtable"
	"telltale/modules/readings/decimal"
	"telltale/modules/readings/instant"
	"telltale/platform/fault"
)

// anything resolves every name, and keeps them all.
type anything struct {
	device string
	names  [][2]string
}

func (a *anything) Device(id []byte) error { a.device = string(id); return nil }

func (a *anything) Series(metric []byte) (int32, error) {
	key := [2]string{a.device, string(metric)}
	for i, name := range a.names {
		if name == key {
			return int32(i), nil
		}
	}
	a.names = append(a.names, key)
	return int32(len(a.names) - 1), nil
}

// FuzzJSON holds the scanner to encoding/json: the same texts are valid, and good items have the same values.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{
		`{"readings":[{"device":"a","ts":1762128000000,"values":{"temperature":21.5,"open":true}}]}`,
		`{"readings":[{"values":{"é\u00e9\ud83d\ude00":-0.0e-7},"ts":"2026-11-01T00:00:00Z","device":"\"\\\/\b\f\n\r\t"}]}`,
		`{"readings":[{"device":"a","ts":null,"values":{"x":[{}],"y":{"z":[1,2.5,-3e+4,"s",false,null]}}},{}]}`,
		`{"readings":[{"device":"a","metric":"m","ts":1,"value":2},{"value":true,"metric":"\u006d","device":"a"},{"device":"a","value":1}]}`,
		`{"readings":[{"device":"a","metric":"m","value":1,"values":{}},{"device":"a","metric":5,"value":1},{"device":"a","metric":"m","value":[1]}]}`,
		`{"readings":[{"device":"a","values":{"x":12345678901234567890.123e-400,"y":1e999}}], "readings":3}`,
		"\ufeff { } ", `{"readings":[{"device":"` + "\xff" + `","values":{"` + "\x01" + `":1}}]}`, `{"readings":[[],[1,],01]}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var d Decoder
		a := &anything{}
		body, err := d.Decode(Request{ContentType: "application/json", Data: data, MaxBytes: 1 << 20, Now: time.UnixMilli(fuzzNow), Earliest: time.UnixMilli(instant.Min)}, a)
		text := bytes.TrimPrefix(data, []byte("\ufeff"))
		if err != nil {
			reason := fault.As(err).Fields[0].Reason
			if strings.HasPrefix(reason, "is not valid JSON") && !strings.Contains(reason, "nested") {
				require.False(t, json.Valid(text), reason)
			}
			return
		}
		require.True(t, json.Valid(text))
		var model struct{ Readings []any }
		numbers := json.NewDecoder(bytes.NewReader(text))
		numbers.UseNumber()
		require.NoError(t, numbers.Decode(&model))
		require.Len(t, model.Readings, body.Items)
		compare(t, body, model.Readings, a)
	})
}

// compare holds the accepted items to the model, and the rejected ones to the rules.
func compare(t *testing.T, body *Body, model []any, a *anything) {
	t.Helper()
	reasons := make(map[int]string)
	for _, r := range body.Rejects {
		reasons[r.Index] = r.Reason
	}
	index := 0
	for i, item := range model {
		item = wide(item)
		if _, rejected := reasons[i]; rejected || i > MaxRejects {
			require.True(t, rejected || i > MaxRejects)
			if o, ok := item.(map[string]any); ok && wellFormed(o) && rejected {
				// What the model cannot see: keys given twice, text that is not Unicode.
				require.Regexp(t, "twice|Unicode|not known|is a|is null|is empty", reasons[i])
			}
			continue
		}
		o := item.(map[string]any)
		require.True(t, wellFormed(o), o)
		values := o["values"].(map[string]any)
		maps.DeleteFunc(values, func(_ string, v any) bool { return v == nil })
		for n := 0; n < len(values); n, index = n+1, index+1 {
			require.Equal(t, int32(i), body.Item[index])
			name := a.names[body.Series[index]]
			require.Equal(t, o["device"], name[0])
			require.Equal(t, toFloat(values[name[1]]), body.Value[index])
			require.GreaterOrEqual(t, body.TS[index], instant.Min)
			require.LessOrEqual(t, body.TS[index], instant.Max)
		}
	}
	if len(model) <= MaxRejects {
		require.Len(t, body.Series, index)
	}
}

// wide turns an item in the long form into one that has values.
func wide(item any) any {
	o, ok := item.(map[string]any)
	if !ok {
		return item
	}
	metric, named := o["metric"].(string)
	value, has := o["value"]
	if _, both := o["values"]; !named || !has || both {
		return item
	}
	o = maps.Clone(o)
	delete(o, "metric")
	delete(o, "value")
	o["values"] = map[string]any{metric: value}
	return o
}

// wellFormed tells whether a model's item is one to accept.
func wellFormed(item map[string]any) bool {
	for key := range item {
		if key != "device" && key != "ts" && key != "values" {
			return false
		}
	}
	device, _ := item["device"].(string)
	values, _ := item["values"].(map[string]any)
	for _, v := range values {
		if math.IsNaN(toFloat(v)) {
			return false
		}
	}
	switch ts := item["ts"].(type) {
	case nil:
	case string:
		if _, problem := (&Decoder{latest: instant.Max}).timestamp([]byte(ts)); problem != "" {
			return false
		}
	case json.Number:
		if n, err := strconv.ParseInt(string(ts), 10, 64); err != nil || n < instant.Min || n > instant.Max {
			return false
		}
	default:
		return false
	}
	return device != "" && len(values) > 0
}

func toFloat(v any) float64 {
	switch v := v.(type) {
	case nil:
		return 0
	case bool:
		if v {
			return 1
		}
		return 0
	case json.Number:
		if f, err := v.Float64(); err == nil {
			return f
		}
	}
	return math.NaN()
}

// FuzzNumber holds numbers to the grammar of encoding/json and the values of strconv.
func FuzzNumber(f *testing.F) {
	for _, s := range []string{
		"0", "-0", "21.5", "1e22", "9007199254740993", "0.1e-21", "1e23", "123456789012345678901234567890", "1e-400", "1e400", "01",
		"1.", "-", "1e", "1e+", ".5", "4.9e-324", "179769313486231570000e289", "0.000000000000000000000000001",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, next, ok := decimal.Parse([]byte(s), 0)
		whole := ok && next == len(s)
		isNumber := json.Valid([]byte(s)) && strings.Trim(s, "-+.eE0123456789") == ""
		require.Equal(t, isNumber, whole)
		if whole {
			want, _ := strconv.ParseFloat(s, 64)
			require.Equal(t, math.Float64bits(want), math.Float64bits(v))
		}
	})
}

// grammar is that of RFC 3339; package time is more generous (commas, hours of one digit, offsets of days).
var grammar = regexp.MustCompile(`^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)$`)

// FuzzTimestamp holds RFC 3339 to its grammar and to the dates of package time.
func FuzzTimestamp(f *testing.F) {
	for _, s := range []string{
		"2026-11-01T00:00:00Z", "2026-11-01t23:59:59.9999z", "2024-02-29 12:00:00.5+05:30", "2023-02-29T00:00:00Z", "0000-01-01T00:00:00Z",
		"9999-12-31T23:59:59-23:59", "2026-11-01T24:00:00Z", "2026-11-01T00:00:60Z", "2026-11-01T00:00:00.Z", "2026-11-01T00:00:00+1:00",
		"1900-02-28T00:00:00Z", "2000-02-29T00:00:00-00:01", "2026-13-01T00:00:00Z", "2026-11-01T00:00:00,5Z",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		want, err := time.Parse(time.RFC3339, strings.Replace(strings.ToUpper(s), " ", "T", 1))
		ms, counted, ok := instant.Parse(s)
		ok = ok && !counted
		require.Equal(t, err == nil && grammar.MatchString(s), ok, "%v", err)
		if ok {
			require.Equal(t, want.UnixMilli(), ms)
		}
	})
}

// FuzzCSV holds rows and cells to encoding/csv.
func FuzzCSV(f *testing.F) {
	for _, s := range []string{
		"device,ts,m\na,1,2\n", "\n\na,\"b\"\"c\",\"d\ne\"\n\"\"", "a\"b\nc", "\"a\"b\nc,d", "\"abc", ",\n,", "a,b,",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if strings.Contains(s, "\r") { // encoding/csv rewrites line ends within quotes
			return
		}
		want := csv.NewReader(strings.NewReader(s))
		want.FieldsPerRecord = -1
		table := csvtable.New([]byte(s), nil)
		for table.Next() {
			row, err := want.Read()
			if table.Problem != "" || table.Unclosed {
				require.Error(t, err)
				return
			}
			require.NoError(t, err)
			line, _ := want.FieldPos(0)
			require.Equal(t, line, table.Line)
			require.Len(t, table.Cells, len(row))
			for i := range row {
				require.Equal(t, row[i], string(table.Cells[i]))
			}
		}
	})
}
