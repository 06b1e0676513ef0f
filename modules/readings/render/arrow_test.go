package render_test

import (
	"bytes"
	"math"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/stretchr/testify/require"

	"telltale/modules/readings/render"
)

// arrowRow is a row as Arrow's own reader understands it.
type arrowRow struct {
	device, metric string
	ts             int64
	values         []any // float64 or nil
}

// readArrow reads a stream with Arrow's own reader.
func readArrow(t *testing.T, stream []byte) (schema *arrow.Schema, rows []arrowRow) {
	t.Helper()
	reader, err := ipc.NewReader(bytes.NewReader(stream))
	require.NoError(t, err)
	defer reader.Release()
	word := func(column arrow.Array, i int) string {
		dictionary := column.(*array.Dictionary)
		return dictionary.Dictionary().(*array.String).Value(dictionary.GetValueIndex(i))
	}
	for reader.Next() {
		batch := reader.RecordBatch()
		for i := range int(batch.NumRows()) {
			row := arrowRow{word(batch.Column(0), i), word(batch.Column(1), i), int64(batch.Column(2).(*array.Timestamp).Value(i)), nil}
			for _, column := range batch.Columns()[3:] {
				if column.IsNull(i) {
					row.values = append(row.values, nil)
				} else {
					row.values = append(row.values, column.(*array.Float64).Value(i))
				}
			}
			rows = append(rows, row)
		}
	}
	require.NoError(t, reader.Err())
	return reader.Schema(), rows
}

func arrowStream(t *testing.T, h render.Header, names []render.Name, write func(*render.ArrowWriter)) []byte {
	t.Helper()
	var out bytes.Buffer
	w := render.NewArrowWriter(h, names, func(b []byte) error { out.Write(b); return nil })
	write(w)
	require.NoError(t, w.End(""))
	return out.Bytes()
}

func TestArrow_ReadsWhatIsWrittenForIt(t *testing.T) {
	t.Parallel()
	names := []render.Name{{Device: "a", Metric: "temperature"}, {Device: "a", Metric: "größe"}, {Device: "b", Metric: "temperature"}}
	var want []arrowRow
	stream := arrowStream(t, render.Header{}, names, func(w *render.ArrowWriter) {
		for i, name := range names {
			require.NoError(t, w.Series(name.Device, name.Metric, "°C"))
			var ts []int64
			var values []float64
			for k := range 7000 * (i + 1) {
				ts, values = append(ts, int64(k)*1000-5), append(values, float64(k)/7)
				want = append(want, arrowRow{name.Device, name.Metric, ts[k], []any{values[k]}})
			}
			require.NoError(t, w.Points(ts, values))
		}
	})
	schema, rows := readArrow(t, stream)
	require.True(t, want[0].ts == -5 && len(want) == len(rows))
	require.Equal(t, want, rows)
	require.Equal(t, []string{"device", "metric", "ts", "value"}, fieldNames(schema))
	require.Equal(t, "dictionary<values=utf8, indices=int32, ordered=false>", schema.Field(0).Type.String())
	require.Equal(t, &arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: "UTC"}, schema.Field(2).Type)
	require.Equal(t, arrow.PrimitiveTypes.Float64, schema.Field(3).Type)
}

func TestArrow_BucketsMayBeEmpty(t *testing.T) {
	t.Parallel()
	stream := arrowStream(t, render.Header{Columns: []string{"avg", "count"}}, []render.Name{{Device: "a", Metric: "m"}}, func(w *render.ArrowWriter) {
		require.NoError(t, w.Series("a", "m", ""))
		require.NoError(t, w.Bucket(0, []float64{1.5, 2}))
		require.NoError(t, w.Bucket(60, []float64{math.NaN(), 0}))
	})
	schema, rows := readArrow(t, stream)
	require.Equal(t, []string{"device", "metric", "ts", "avg", "count"}, fieldNames(schema))
	require.Equal(t, []arrowRow{{"a", "m", 0, []any{1.5, 2.0}}, {"a", "m", 60, []any{nil, 0.0}}}, rows)

	_, rows = readArrow(t, arrowStream(t, render.Header{}, nil, func(*render.ArrowWriter) {}))
	require.Empty(t, rows)
}

func fieldNames(schema *arrow.Schema) (names []string) {
	for _, field := range schema.Fields() {
		names = append(names, field.Name)
	}
	return names
}

// BenchmarkArrow writes 100 series of 8,640 readings: 864,000 points.
func BenchmarkArrow(b *testing.B) {
	ts, values := day(kinds[0].value)
	for b.Loop() {
		size := 0
		w := render.NewArrowWriter(render.Header{}, []render.Name{{Device: "sensor", Metric: "temperature"}}, func(p []byte) error { size += len(p); return nil })
		for range 100 {
			_ = w.Series("sensor", "temperature", "°C")
			for at := 0; at < len(ts); at += 360 {
				_ = w.Points(ts[at:at+360], values[at:at+360])
			}
		}
		_ = w.End("")
		b.SetBytes(int64(size))
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/864_000, "ns/point")
}
