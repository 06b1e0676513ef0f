package readings_test

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"telltale/modules/readings/timeparam"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"telltale/modules/auth/access"
	"telltale/modules/readings"
	"telltale/modules/readings/bucket"
	"telltale/modules/readings/chunk"
	"telltale/modules/readings/history"
	"telltale/modules/readings/render"
	"telltale/modules/series"
	"telltale/platform/postgres"
	"telltale/platform/postgres/pgtest"
)

// benchStart is the first instant of the data that benchmarks read.
var benchStart = time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC).UnixMilli()

// The size of that data: 100 devices with two metrics, one reading each 10 s, for 7 days: 12 million readings.
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
	var names []series.Name
	for device := range benchDevices {
		for _, metric := range []string{"humidity", "temperature"} {
			names = append(names, series.Name{Device: fmt.Sprintf("device-%03d", device), Metric: metric})
		}
	}
	_, err := e.Registry.Register(ctx, names, true)
	require.NoError(b, err)
	_, err = db.Exec(ctx, `CREATE TABLE plain (series integer, ts timestamptz, value float8, PRIMARY KEY (series, ts))`)
	require.NoError(b, err)
	l := &loaded{engine: e, db: db}
	random := rand.New(rand.NewPCG(1, 1))
	for d := range benchDays {
		l.day(b, benchStart+int64(d)*chunk.Day, names, random)
		e.FoldAll(b)
	}
	for i, name := range names {
		if id, _ := e.Registry.Find(name.Device, name.Metric); i%2 == 1 {
			l.series = append(l.series, id)
		}
	}
	_, err = db.Exec(ctx, `VACUUM ANALYZE`)
	require.NoError(b, err)
	return l
}

// day appends one day of every series, ten minutes a batch, and the same rows to the plain table.
func (l *loaded) day(b *testing.B, start int64, names []series.Name, random *rand.Rand) {
	b.Helper()
	const perBatch = 60
	var rows [][]any
	for at := start; at < start+chunk.Day; at += perBatch * benchStep {
		var series []int32
		var ts []int64
		var value []float64
		for k := range int64(perBatch) {
			for i, name := range names {
				id, _ := l.Registry.Find(name.Device, name.Metric)
				t := at + k*benchStep
				phase := 2 * math.Pi * float64(t%chunk.Day) / float64(chunk.Day)
				v := math.Round(10*(20+float64(i%7)+5*math.Sin(phase)+random.NormFloat64()*0.3)) / 10
				series, ts, value = append(series, id), append(ts, t), append(value, v)
				rows = append(rows, []any{id, chunk.UTC(t), v})
			}
		}
		_, err := l.Appender.Append(context.Background(), series, ts, value)
		require.NoError(b, err)
	}
	err := l.db.InTx(context.Background(), pgx.TxOptions{}, func(tx pgx.Tx) error {
		_, err := tx.CopyFrom(context.Background(), pgx.Identifier{"plain"}, []string{"series", "ts", "value"}, pgx.CopyFromRows(rows))
		return err
	})
	require.NoError(b, err)
}

// BenchmarkHistory reads two questions of a dashboard (a day of readings, a week by the hour), as this package answers them and as SQL over the plain table does.
func BenchmarkHistory(b *testing.B) {
	l := loadBench(b)
	l.reportStorage(b)
	rawFrom := benchStart + 3*chunk.Day
	raw := history.Query{From: rawFrom, To: rawFrom + chunk.Day, Selection: history.Selection{Metrics: []string{"temperature"}}}
	b.Run("raw 100 devices 24 h/telltale JSON", func(b *testing.B) { l.benchHistory(b, raw) })
	b.Run("raw 100 devices 24 h/plain COPY binary", func(b *testing.B) {
		l.benchCopy(b, fmt.Sprintf(`SELECT series, ts, value FROM plain WHERE series = ANY('%s') AND ts >= '%s' AND ts < '%s' ORDER BY series, ts`,
			l.seriesText(), timeparam.Format(raw.From), timeparam.Format(raw.To)))
	})
	hourly := history.Query{From: benchStart, To: benchStart + 7*chunk.Day, Selection: history.Selection{Metrics: []string{"temperature"}}, Interval: &bucket.Interval{Millis: chunk.Hour}, Aggregates: []bucket.Aggregate{bucket.Avg}}
	b.Run("hourly 100 devices 7 days/telltale JSON", func(b *testing.B) { l.benchHistory(b, hourly) })
	b.Run("hourly 100 devices 7 days/plain SQL", func(b *testing.B) {
		l.benchCopy(b, fmt.Sprintf(`SELECT series, date_trunc('hour', ts), avg(value) FROM plain WHERE series = ANY('%s') AND ts >= '%s' AND ts < '%s' GROUP BY 1, 2`,
			l.seriesText(), timeparam.Format(hourly.From), timeparam.Format(hourly.To)))
	})
	b.Run("raw 100 devices 24 h/function readings", func(b *testing.B) {
		l.benchCopy(b, fmt.Sprintf(`SELECT device, ts, value FROM readings(NULL, '{temperature}', '%s', '%s')`, timeparam.Format(raw.From), timeparam.Format(raw.To)))
	})
	b.Run("hourly 100 devices 7 days/function readings_buckets", func(b *testing.B) {
		l.benchCopy(b, fmt.Sprintf(`SELECT device, ts, avg FROM readings_buckets(NULL, '{temperature}', '%s', '%s', '1 hour', NULL)`,
			timeparam.Format(hourly.From), timeparam.Format(hourly.To)))
	})
	b.Run("hourly 100 devices 7 days/GROUP BY over readings", func(b *testing.B) {
		l.benchCopy(b, fmt.Sprintf(`SELECT device, date_trunc('hour', ts), avg(value) FROM readings(NULL, '{temperature}', '%s', '%s') GROUP BY 1, 2`,
			timeparam.Format(hourly.From), timeparam.Format(hourly.To)))
	})
	quarters := hourly
	quarters.Interval = &bucket.Interval{Millis: chunk.Hour / 4}
	b.Run("quarters of an hour, 100 devices 7 days/telltale JSON", func(b *testing.B) { l.benchHistory(b, quarters) })
	one := raw
	one.Devices = []string{"device-042"}
	b.Run("raw 1 device 24 h, 16 clients/telltale JSON", func(b *testing.B) {
		l.benchParallel(b, func() error { return l.render(context.Background(), everyone, one, render.JSON, io.Discard) })
	})
	b.Run("raw 1 device 24 h, 16 clients/plain SQL", func(b *testing.B) {
		id, _ := l.Registry.Find("device-042", "temperature")
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

func (l *loaded) benchHistory(b *testing.B, q history.Query) {
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
	rows, err := l.db.Query(context.Background(), `SELECT ts, value FROM plain WHERE series = $1 AND ts >= $2 AND ts < $3 ORDER BY ts`, id, chunk.UTC(from), chunk.UTC(to))
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
			b.ReportMetric(float64(size)/float64(2*benchDevices*benchDays*chunk.Day/benchStep), "bytes/reading")
		})
	}
}

// render writes the answer to a query to out.
func (e *engine) render(ctx context.Context, who access.Principal, q history.Query, format render.Format, out io.Writer) error {
	a, release := readings.Rendered(format, out)
	defer release()
	return e.Queries.History(ctx, who, q, a)
}
