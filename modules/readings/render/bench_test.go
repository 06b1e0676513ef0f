package render_test

import (
	"fmt"
	"strconv"
	"testing"

	"telltale/modules/readings/render"
)

// day is one series' day of readings every 10 seconds.
func day(value func(i int) float64) (ts []int64, values []float64) {
	for i := range 8640 {
		ts = append(ts, 1762128000000+int64(i)*10_000)
		values = append(values, value(i))
	}
	return ts, values
}

var kinds = []struct {
	name  string
	value func(i int) float64
}{
	{"one decimal", func(i int) float64 { return 18 + float64(i*7919%140)/10 }},
	{"booleans", func(i int) float64 { return float64(i >> 3 & 1) }},
	{"counter", func(i int) float64 { return float64(123_456_789 + i*1234) }},
	{"six decimals", func(i int) float64 { return float64(52_520_008+i) / 1e6 }},
	{"float32 made double", func(i int) float64 { return float64(float32(18 + float64(i*7919%140)/10)) }},
}

// BenchmarkHistory writes 100 series of 8,640 readings: 864,000 points.
func BenchmarkHistory(b *testing.B) {
	run := func(b *testing.B, f render.Format, value func(int) float64) {
		ts, values := day(value)
		for b.Loop() {
			size := 0
			w := render.NewWriter(f, render.Header{}, func(p []byte) error { size += len(p); return nil })
			for i := range 100 {
				_ = w.Series("sensor-"+strconv.Itoa(i), "temperature", "°C")
				for at := 0; at < len(ts); at += 360 { // an hour's chunk
					_ = w.Points(ts[at:at+360], values[at:at+360])
				}
			}
			_ = w.End("")
			_ = w.Flush()
			w.Release()
			b.SetBytes(int64(size))
		}
		b.ReportAllocs()
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/864_000, "ns/point")
	}
	for _, f := range []render.Format{render.JSON, render.CSV, render.NDJSON} {
		b.Run(f.String(), func(b *testing.B) { run(b, f, kinds[0].value) })
	}
	for _, k := range kinds[1:] {
		b.Run("json of "+k.name, func(b *testing.B) { run(b, render.JSON, k.value) })
	}
}

func BenchmarkBucket(b *testing.B) {
	columns := []string{"avg", "min", "max", "count"}
	for _, f := range []render.Format{render.JSON, render.CSV} {
		b.Run(f.String(), func(b *testing.B) {
			w := render.NewWriter(f, render.Header{Columns: columns}, func([]byte) error { return nil })
			defer w.Release()
			_ = w.Series("sensor-1", "temperature", "°C")
			i := 0
			for b.Loop() {
				_ = w.Bucket(1762128000000+int64(i)*3_600_000, []float64{21.0 + float64(i)/3, 18.5, 24.1, 360})
				i++
			}
		})
	}
}

func BenchmarkAppendFloat(b *testing.B) {
	for _, k := range kinds {
		_, values := day(k.value)
		for _, how := range []struct {
			name   string
			append func([]byte, float64) []byte
		}{
			{"ours", render.AppendFloat},
			{"strconv", func(b []byte, v float64) []byte { return strconv.AppendFloat(b, v, 'f', -1, 64) }},
		} {
			b.Run(fmt.Sprintf("%s/%s", k.name, how.name), func(b *testing.B) {
				buf := make([]byte, 0, 64)
				i := 0
				for b.Loop() {
					buf = how.append(buf[:0], values[i])
					if i++; i == len(values) {
						i = 0
					}
				}
			})
		}
	}
}
