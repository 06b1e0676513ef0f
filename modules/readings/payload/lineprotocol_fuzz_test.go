package payload

import (
	"bytes"
	"fmt"
	"math"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/influxdata/line-protocol/v2/lineprotocol"
	"github.com/stretchr/testify/require"

	"telltale/modules/readings/instant"
)

// FuzzLineProtocol holds what is accepted to what the parser makes of the same bytes at once, by its other methods.
func FuzzLineProtocol(f *testing.F) {
	for _, s := range []string{
		"cpu,cpu=cpu0,host=web-1 usage_idle=97.5,usage_user=1i 1762128000000000000\n# note\n\nm,device=d value=t\r\nm,device=d value=.5 1",
		`a\,b\ c,de\=vice=x,device=y\,z f\ 1=-1e-3,value="s \" ` + "\n" + `",g=18446744073709551615u 999`, "m,host=h value=1 -1\nm value=1\n",
		"m,device=d x=1,x=2\nm,device=d =1\nm,device= x=1\nm,device=d x=1x\n#\x01\nm\\", "m,device=d v=1 12345678901234567890", "\r", " \n ",
		"m,host=a,host=b v=0x1p-2,w=1_0,y=Infinity 5 \n",
	} {
		f.Add([]byte(s), uint8(0))
		f.Add([]byte(s), uint8(3))
	}
	units := []time.Duration{0, time.Microsecond, time.Millisecond, time.Second}
	f.Fuzz(func(t *testing.T, data []byte, unit uint8) {
		how := &LineProtocol{Unit: units[int(unit)%len(units)]}
		var d Decoder
		a := &anything{}
		body, err := d.Decode(Request{LineProtocol: how, Data: data, MaxBytes: 1 << 20, Now: time.UnixMilli(fuzzNow), Earliest: time.UnixMilli(instant.Min)}, a)
		if err != nil {
			return
		}
		require.Len(t, body.lines, body.Items)
		require.True(t, slices.IsSorted(body.lines))
		var got []string
		for i, series := range body.Series {
			require.GreaterOrEqual(t, body.TS[i], instant.Min)
			require.LessOrEqual(t, body.TS[i], instant.Max)
			require.False(t, math.IsNaN(body.Value[i]) || math.IsInf(body.Value[i], 0))
			got = append(got, fmt.Sprint(body.Item[i])+fmt.Sprint(a.names[series])+" "+fmt.Sprint(body.TS[i])+" "+fmt.Sprint(body.Value[i]))
		}
		rejected := map[int32]bool{}
		for _, r := range body.Rejects {
			rejected[int32(r.Index)] = true
		}
		if body.Rejected > MaxRejects {
			return
		}
		want, items := model(data, how.Unit, rejected)
		require.Equal(t, items, body.Items)
		require.Len(t, got, len(want))
		for i := range want {
			if text, untimed := strings.CutPrefix(want[i], untimedMark); untimed {
				require.LessOrEqual(t, body.TS[i], int64(fuzzNow))
				want[i] = strings.Replace(text, untimedMark, strconv.FormatInt(body.TS[i], 10), 1)
			}
		}
		require.Equal(t, want, got)
	})
}

// fuzzNow is when fuzzed bodies arrive, in Unix ms; untimedMark marks the model's values whose time is about then.
const (
	fuzzNow     = 1_000_000
	untimedMark = "<untimed>"
)

// model reads the lines that are not rejected.
func model(data []byte, unit time.Duration, rejected map[int32]bool) (accepted []string, items int) {
	if len(data) > 2 && string(data[:3]) == "\xef\xbb\xbf" {
		data = data[3:]
	}
	unit = max(unit, time.Nanosecond)
	parser := lineprotocol.NewDecoderWithBytes(data)
	for ; parser.Next(); items++ {
		if rejected[int32(items)] {
			continue
		}
		measurement, _ := parser.Measurement()
		name := encode(measurement)
		var tags [][2]string
		for {
			key, value, _ := parser.NextTag()
			if key == nil {
				break
			}
			tags = append(tags, [2]string{string(key), string(value)})
		}
		index := slices.IndexFunc(tags, func(t [2]string) bool { return t[0] == "host" })
		if index < 0 {
			index = slices.IndexFunc(tags, func(t [2]string) bool { return t[0] == "device" })
		}
		device := encodeDevice(tags[index][1])
		tags = slices.Delete(tags, index, index+1)
		slices.SortStableFunc(tags, func(a, b [2]string) int { return slices.Compare(a[:1], b[:1]) })
		suffix := ""
		for _, tag := range tags {
			suffix += ";" + encode([]byte(tag[0])) + "=" + encode([]byte(tag[1]))
		}
		var metrics []string
		var values []float64
		for {
			key, value, _ := parser.NextField()
			if key == nil {
				break
			}
			metric := name
			if string(key) != "value" || strings.Contains(name, ".") {
				metric += "." + strings.ReplaceAll(encode(key), ".", "%2E")
			}
			switch v := value.Interface().(type) {
			case string:
				continue
			case bool:
				values = append(values, map[bool]float64{true: 1}[v])
			case int64:
				values = append(values, float64(v))
			case uint64:
				values = append(values, float64(v))
			case float64:
				values = append(values, v)
			}
			metrics = append(metrics, metric+suffix)
		}
		ts := untimedMark
		if text, _ := parser.TimeBytes(); text != nil {
			n, _ := strconv.ParseInt(string(text), 10, 64)
			if unit < time.Millisecond {
				ts = strconv.FormatInt(n/int64(time.Millisecond/unit), 10)
			} else {
				ts = strconv.FormatInt(n*int64(unit/time.Millisecond), 10)
			}
		}
		for i, metric := range metrics {
			line := fmt.Sprint(items) + fmt.Sprint([2]string{device, metric}) + " " + ts + " " + fmt.Sprint(values[i])
			if ts == untimedMark {
				line = untimedMark + line
			}
			accepted = append(accepted, line)
		}
	}
	return accepted, items
}

func encode(part []byte) string { return encodeBut(string(part), `/\*?[],"'%;=`) }

var encodedByte = regexp.MustCompile(`%([0-9A-Fa-f]{2})`)

func encodeDevice(name string) string {
	if name == "." || name == ".." {
		return strings.ReplaceAll(name, ".", "%2E")
	}
	return encodeBut(encodedByte.ReplaceAllString(name, "%25$1"), `/\*?[],"'`)
}

func encodeBut(part, reserved string) (text string) {
	for _, r := range part {
		if r == ' ' || !unicode.IsPrint(r) || strings.ContainsRune(reserved, r) {
			for _, c := range []byte(string(r)) {
				text += fmt.Sprintf("%%%02X", c)
			}
		} else {
			text += string(r)
		}
	}
	return text
}

// decodeName takes the name of a metric apart, as a reader of the documentation would.
func decodeName(t *testing.T, name string) []string {
	t.Helper()
	parts := strings.Split(name, ";")
	measurement, field := parts[0], "value"
	if dot := strings.LastIndexByte(parts[0], '.'); dot >= 0 {
		measurement, field = parts[0][:dot], parts[0][dot+1:]
	}
	raw := []string{measurement, field}
	for _, tag := range parts[1:] {
		raw = append(raw, strings.Split(tag, "=")...)
	}
	for i := range raw {
		var err error
		raw[i], err = url.PathUnescape(raw[i])
		require.NoError(t, err)
	}
	return raw
}

// FuzzNames holds names to what was sent: decoding a name gives back the measurement, field, tags and device.
func FuzzNames(f *testing.F) {
	f.Add("jvm.memory", "heap.max", "cpu", "cpu0", "web-1")
	f.Add("jvm.memory.heap", "value", "a;b", "1=2", "a b/c%20")
	f.Add("m", "value", "é", "100%", "..")
	f.Add("m", "va.lue", "\u00a0", ".", "%2E%2E")
	f.Add(".", ".value", "%3B", "%", "%")
	f.Fuzz(func(t *testing.T, measurement, field, key, value, device string) {
		var e lineprotocol.Encoder
		e.SetLax(true)
		e.StartLine(measurement)
		if key == "host" || key > "host" {
			e.AddTag("host", device)
			e.AddTag(key, value)
		} else {
			e.AddTag(key, value)
			e.AddTag("host", device)
		}
		e.AddField(field, lineprotocol.MustNewValue(1.0))
		e.EndLine(time.Time{})
		if e.Err() != nil || key == "host" {
			return
		}
		var d Decoder
		a := &anything{}
		body, err := d.Decode(Request{LineProtocol: &LineProtocol{}, Data: e.Bytes(), MaxBytes: 1 << 20}, a)
		require.NoError(t, err)
		if len(body.Series) != 1 {
			return // the parser does not read all that the encoder writes
		}
		name := a.names[body.Series[0]]
		if e.Bytes()[0] == '#' || bytes.IndexByte(e.Bytes(), '\\') >= 0 {
			return // backslashes are written and read by different rules
		}
		require.Equal(t, []string{measurement, field, key, value}, decodeName(t, name[1]))
		got, err := url.PathUnescape(percent.ReplaceAllString(name[0], "%25$1"))
		require.NoError(t, err)
		require.Equal(t, device, got)
		require.NotRegexp(t, `[\x00-\x20/\\\\*?\[\],"']`, name[0]+name[1])
	})
}

// percent is a percent sign that begins no encoding.
var percent = regexp.MustCompile(`%($|[^0-9A-Fa-f]|[0-9A-Fa-f]$|[0-9A-Fa-f][^0-9A-Fa-f])`)
