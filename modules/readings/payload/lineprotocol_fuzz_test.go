package payload

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/influxdata/line-protocol/v2/lineprotocol"
	"github.com/stretchr/testify/require"
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
		body, err := d.Decode(Request{LineProtocol: how, Data: data, MaxBytes: 1 << 20, Now: time.UnixMilli(5)}, a)
		if err != nil {
			return
		}
		require.Len(t, body.lines, body.Items)
		require.True(t, slices.IsSorted(body.lines))
		var got []string
		for i, series := range body.Series {
			require.GreaterOrEqual(t, body.TS[i], MinTS)
			require.LessOrEqual(t, body.TS[i], MaxTS)
			require.False(t, math.IsNaN(body.Value[i]) || math.IsInf(body.Value[i], 0))
			got = append(got, fmt.Sprint(body.Item[i], a.names[series], body.TS[i], body.Value[i]))
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
		require.Equal(t, want, got)
	})
}

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
		place := slices.IndexFunc(tags, func(t [2]string) bool { return t[0] == "host" })
		if place < 0 {
			place = slices.IndexFunc(tags, func(t [2]string) bool { return t[0] == "device" })
		}
		device := tags[place][1]
		tags = slices.Delete(tags, place, place+1)
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
			if string(key) != "value" {
				metric += "." + encode(key)
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
		ts := int64(5)
		if text, _ := parser.TimeBytes(); text != nil {
			n, _ := strconv.ParseInt(string(text), 10, 64)
			if unit < time.Millisecond {
				ts = n / int64(time.Millisecond/unit)
			} else {
				ts = n * int64(unit/time.Millisecond)
			}
		}
		for i, metric := range metrics {
			accepted = append(accepted, fmt.Sprint(items, [2]string{device, metric}, ts, values[i]))
		}
	}
	return accepted, items
}

func encode(part []byte) string {
	text := ""
	for _, c := range part {
		if c < 0x80 && (c <= ' ' || c == 0x7f || slices.Contains([]byte(`/\*?[],"'%;=`), c)) {
			text += fmt.Sprintf("%%%02X", c)
		} else {
			text += string([]byte{c})
		}
	}
	return text
}
