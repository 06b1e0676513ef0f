package payload_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
	"testing"
	"time"

	"telltale/modules/readings/payload"
)

// registry resolves like the real one: a map of devices, each with a short list of metrics.
type registry struct {
	devices map[string]*entry
	current *entry
}

type entry struct {
	metrics []string
	series  []int32
}

func (r *registry) Device(id []byte) error {
	e, ok := r.devices[string(id)]
	if !ok {
		return fmt.Errorf("unknown device %q", id)
	}
	r.current = e
	return nil
}

func (r *registry) Series(metric []byte) (int32, error) {
	for i, m := range r.current.metrics {
		if m == string(metric) {
			return r.current.series[i], nil
		}
	}
	return 0, fmt.Errorf("unknown metric %q", metric)
}

func newRegistry(devices int) *registry {
	r := &registry{devices: make(map[string]*entry)}
	for i := range devices {
		base := int32(2 * i)
		r.devices[fmt.Sprintf("sensor-%04d", i)] = &entry{[]string{"temperature", "humidity", "cpu.usage_idle;cpu=cpu0", "cpu.usage_user;cpu=cpu0"}, []int32{base, base + 1, base, base + 1}}
	}
	return r
}

// rows calls f for each reading of a batch of 1,000 from as many devices as given, two values each.
func rows(devices int, f func(device string, at time.Time, temperature, humidity float64)) {
	start := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for i := range 1000 {
		f(fmt.Sprintf("sensor-%04d", i%devices), start.Add(time.Duration(i)*1234*time.Millisecond),
			21.5+float64(i%40)/10, 48.25+float64(i%300)/100)
	}
}

func items(devices int, rfc bool) []string {
	var out []string
	rows(devices, func(device string, at time.Time, t, h float64) {
		ts := fmt.Sprint(at.UnixMilli())
		if rfc {
			ts = `"` + at.Format("2006-01-02T15:04:05.000Z07:00") + `"`
		}
		out = append(out, fmt.Sprintf(`{"device":"%s","ts":%s,"values":{"temperature":%g,"humidity":%g}}`, device, ts, t, h))
	})
	return out
}

func BenchmarkDecode(b *testing.B) {
	object := func(devices int, rfc bool) []byte {
		return []byte(`{"readings":[` + strings.Join(items(devices, rfc), ",") + `]}`)
	}
	var table, zipped bytes.Buffer
	table.WriteString("device,ts,temperature,humidity\n")
	rows(1000, func(device string, at time.Time, t, h float64) {
		fmt.Fprintf(&table, "%s,%s,%g,%g\n", device, at.Format(time.RFC3339Nano), t, h)
	})
	var lines, telegraf, long bytes.Buffer
	long.WriteString("device,metric,ts,value\n")
	rows(1000, func(device string, at time.Time, t, h float64) {
		fmt.Fprintf(&lines, "temperature,device=%s value=%g %d\nhumidity,device=%[1]s value=%[4]g %[3]d\n", device, t, at.UnixNano(), h)
		fmt.Fprintf(&long, "%s,temperature,%s,%g\n%[1]s,humidity,%[2]s,%[4]g\n", device, at.Format(time.RFC3339Nano), t, h)
	})
	rows(100, func(device string, at time.Time, t, h float64) {
		fmt.Fprintf(&telegraf, "cpu,cpu=cpu0,host=%s usage_idle=%g,usage_user=%g %d\n", device, t, h, at.UnixNano())
	})
	z := gzip.NewWriter(&zipped)
	_, _ = z.Write(object(1000, false))
	_ = z.Close()

	for _, c := range []struct {
		name, contentType, encoding string
		body                        []byte
	}{
		{"json of 1000 devices", "application/json", "", object(1000, false)},
		{"json of one device", "application/json", "", object(1, false)},
		{"json with RFC 3339", "application/json", "", object(1000, true)},
		{"ndjson", "application/x-ndjson", "", []byte(strings.Join(items(1000, false), "\n"))},
		{"csv", "text/csv", "", table.Bytes()},
		{"csv in the long form", "text/csv", "", long.Bytes()},
		{"line protocol of 1000 devices", "", "", lines.Bytes()},
		{"line protocol of telegraf", "", "", telegraf.Bytes()},
		{"json gzipped", "application/json", "gzip", zipped.Bytes()},
	} {
		b.Run(c.name, func(b *testing.B) {
			var d payload.Decoder
			r := newRegistry(1000)
			req := payload.Request{
				ContentType: c.contentType, ContentEncoding: c.encoding, Data: c.body, MaxBytes: 1 << 20, Now: time.Now(),
			}
			if c.contentType == "" {
				req.LineProtocol = &payload.LineProtocol{}
			}
			b.SetBytes(int64(len(c.body)))
			b.ReportAllocs()
			for b.Loop() {
				body, err := d.Decode(req, r)
				if err != nil || len(body.Series) != 2000 {
					b.Fatal(err, body)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/2000, "ns/value")
		})
	}
}
