package readings

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"telltale/modules/devices"
	"telltale/modules/readings/render"
	"telltale/platform/postgres"
	"telltale/platform/postgres/pgtest"
)

// benchStart is the first instant of the data that benchmarks read.
var benchStart = time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC).UnixMilli()

// The size of that data: DESIGN's 100 devices with two metrics, one reading each 10 s, for 7 days: 12 million readings.
const (
	benchDevices = 100
	benchDays    = 7
	benchStep    = 10_000 // ms
)

// loaded is an engine and a plain table (integer series, timestamp, value; primary key) that hold the same readings.
type loaded struct {
	*engine
	db     *postgres.DB
	series []int32 // of the first metric
}

// loadBench makes the data, folds it, and reports the bytes a reading takes in either form.
func loadBench(b *testing.B) *loaded {
	b.Helper()
	db := pgtest.New(b)
	e := startEngine(b, db)
	ctx := context.Background()
	var names []devices.Name
	for device := range benchDevices {
		for _, metric := range []string{"humidity", "temperature"} {
			names = append(names, devices.Name{Device: fmt.Sprintf("device-%03d", device), Metric: metric})
		}
	}
	_, err := e.registry.Register(ctx, names, true)
	require.NoError(b, err)
	_, err = db.Exec(ctx, `CREATE TABLE plain (series integer, ts timestamptz, value float8, PRIMARY KEY (series, ts))`)
	require.NoError(b, err)
	l := &loaded{engine: e, db: db}
	random := rand.New(rand.NewPCG(1, 1))
	for d := range benchDays {
		l.day(b, benchStart+int64(d)*day, names, random)
		e.fold(b)
	}
	for i, name := range names {
		if id, _ := e.registry.Find(name.Device, name.Metric); i%2 == 1 {
			l.series = append(l.series, id)
		}
	}
	_, err = db.Exec(ctx, `VACUUM ANALYZE`)
	require.NoError(b, err)
	return l
}

// day appends one day of every series, ten minutes a batch, and the same rows to the plain table.
func (l *loaded) day(b *testing.B, start int64, names []devices.Name, random *rand.Rand) {
	b.Helper()
	const perBatch = 60
	var rows [][]any
	for at := start; at < start+day; at += perBatch * benchStep {
		var series []int32
		var ts []int64
		var value []float64
		for k := range int64(perBatch) {
			for i, name := range names {
				id, _ := l.registry.Find(name.Device, name.Metric)
				t := at + k*benchStep
				phase := 2 * math.Pi * float64(t%day) / float64(day)
				v := math.Round(10*(20+float64(i%7)+5*math.Sin(phase)+random.NormFloat64()*0.3)) / 10
				series, ts, value = append(series, id), append(ts, t), append(value, v)
				rows = append(rows, []any{id, millis(t), v})
			}
		}
		_, err := l.appender.Append(context.Background(), series, ts, value)
		require.NoError(b, err)
	}
	_, err := l.db.CopyFrom(context.Background(), pgx.Identifier{"plain"}, []string{"series", "ts", "value"}, pgx.CopyFromRows(rows))
	require.NoError(b, err)
}

// BenchmarkHistory reads DESIGN's two questions, as this package answers them and as SQL over the plain table does.
func BenchmarkHistory(b *testing.B) {
	l := loadBench(b)
	l.reportStorage(b)
	rawFrom := benchStart + 3*day
	raw := Query{From: rawFrom, To: rawFrom + day, Selection: Selection{Metrics: []string{"temperature"}}}
	b.Run("raw 100 devices 24 h/telltale JSON", func(b *testing.B) { l.benchHistory(b, raw) })
	b.Run("raw 100 devices 24 h/plain COPY binary", func(b *testing.B) {
		l.benchCopy(b, fmt.Sprintf(`SELECT series, ts, value FROM plain WHERE series = ANY('%s') AND ts >= '%s' AND ts < '%s' ORDER BY series, ts`,
			l.seriesText(), formatTime(raw.From), formatTime(raw.To)))
	})
	hourly := Query{From: benchStart, To: benchStart + 7*day, Selection: Selection{Metrics: []string{"temperature"}}, Interval: &Interval{Millis: hour}, Aggregates: []Aggregate{Avg}}
	b.Run("hourly 100 devices 7 days/telltale JSON", func(b *testing.B) { l.benchHistory(b, hourly) })
	b.Run("hourly 100 devices 7 days/plain SQL", func(b *testing.B) {
		l.benchCopy(b, fmt.Sprintf(`SELECT series, date_trunc('hour', ts), avg(value) FROM plain WHERE series = ANY('%s') AND ts >= '%s' AND ts < '%s' GROUP BY 1, 2`,
			l.seriesText(), formatTime(hourly.From), formatTime(hourly.To)))
	})
	one := raw
	one.Devices = []string{"device-042"}
	b.Run("raw 1 device 24 h, 16 clients/telltale JSON", func(b *testing.B) {
		l.benchParallel(b, func() error { return l.render(context.Background(), everyone, one, render.JSON, io.Discard) })
	})
	b.Run("raw 1 device 24 h, 16 clients/plain SQL", func(b *testing.B) {
		id, _ := l.registry.Find("device-042", "temperature")
		l.benchParallel(b, func() error { return l.plainRows(id, raw.From, raw.To) })
	})
}

func (l *loaded) seriesText() string {
	text := "{"
	for i, id := range l.series {
		if i > 0 {
			text += ","
		}
		text += fmt.Sprint(id)
	}
	return text + "}"
}

// counted counts the bytes written to it.
type counted int64

func (c *counted) Write(p []byte) (int, error) { *c += counted(len(p)); return len(p), nil }

func (l *loaded) benchHistory(b *testing.B, q Query) {
	var size counted
	for b.Loop() {
		size = 0
		require.NoError(b, l.render(b.Context(), everyone, q, render.JSON, &size))
	}
	b.ReportMetric(float64(size), "bytes/op")
}

func (l *loaded) benchCopy(b *testing.B, query string) {
	var size counted
	for b.Loop() {
		size = 0
		require.NoError(b, l.db.WithConn(b.Context(), func(conn *pgx.Conn) error {
			_, err := conn.PgConn().CopyTo(b.Context(), &size, `COPY (`+query+`) TO STDOUT (FORMAT binary)`)
			return err
		}))
	}
	b.ReportMetric(float64(size), "bytes/op")
}

func (l *loaded) benchParallel(b *testing.B, run func() error) {
	b.SetParallelism(8)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := run(); err != nil {
				b.Error(err)
			}
		}
	})
}

func (l *loaded) plainRows(id int32, from, to int64) error {
	rows, err := l.db.Query(context.Background(), `SELECT ts, value FROM plain WHERE series = $1 AND ts >= $2 AND ts < $3 ORDER BY ts`, id, millis(from), millis(to))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		rows.RawValues()
	}
	return rows.Err()
}

// reportStorage says how many bytes a reading takes, indexes and free space included.
func (l *loaded) reportStorage(b *testing.B) {
	for _, table := range []string{"reading_chunks", "plain"} {
		var size int64
		if size = sizeOf(b, l.db, table); size == 0 { // its partitions have it
			size = diskOf(b, l.db) + sizeOf(b, l.db, "reading_days")
		}
		b.Run("storage/"+table, func(b *testing.B) {
			for b.Loop() {
				b.ReportMetric(0, "ns/op")
			}
			b.ReportMetric(float64(size)/float64(2*benchDevices*benchDays*day/benchStep), "bytes/reading")
		})
	}
}
