package readings_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"telltale/modules/readings/chunk"
	"telltale/platform/postgres"
	"telltale/platform/postgres/pgtest"
)

// layoutPoints is how many readings each cadence of BenchmarkLayout has: a day of 100 series, one per 10 s.
const layoutPoints = 864_000

// cadence is a kind of series: how far its readings are apart (ms, varied by up to jitter), and their decimals.
type cadence struct {
	name     string
	step     int64
	jitter   int64
	decimals int
	series   int // how many have layoutPoints readings
	spans    []int64
	usual    int64 // the span that others are compared at: what the fold makes of such a series
}

const week = 7 * chunk.Day // a month is 30 days here

// BenchmarkLayout writes the same readings as chunks of other spans, with other columns for instants and values, and reads
// them all into slices again, as a scan does. LAYOUT.md has what came of it.
func BenchmarkLayout(b *testing.B) {
	for _, c := range []cadence{
		{"fast, 10 a second, 2 decimals", 100, 0, 2, 1, []int64{chunk.Hour / 4, chunk.Hour, chunk.Day}, chunk.Hour},
		{"ordinary, one per 10 s, 1 decimal", 10_000, 0, 1, 100, []int64{chunk.Hour, chunk.Day}, chunk.Hour},
		{"ordinary, one per 10 s, 2 decimals", 10_000, 0, 2, 100, []int64{chunk.Hour, chunk.Day}, chunk.Hour},
		{"ordinary, jittered, 1 decimal", 10_000, 20, 1, 100, []int64{chunk.Hour, chunk.Day}, chunk.Hour},
		{"slow, one per 15 min, 2 decimals", 15 * chunk.Minute, 0, 2, 300, []int64{chunk.Hour, chunk.Day, week, 30 * chunk.Day}, 30 * chunk.Day},
	} {
		b.Run(c.name, func(b *testing.B) {
			data := c.readings()
			b.Run("rows with primary key", func(b *testing.B) { benchRows(b, data) })
			for _, span := range c.spans {
				for _, values := range []valuesLayout{doubles, scaledShort, stepsTiny} {
					benchLayout(b, c, data, layout{span, deltasTailOff, values})
				}
			}
			for _, instants := range []instantsLayout{deltasFull, deltasShort, instantsWhole, deltasOfDeltas} {
				benchLayout(b, c, data, layout{c.usual, instants, doubles})
			}
			for _, values := range []valuesLayout{singles, scaled, steps, stepsShort, numerics, varints, gorilla} {
				benchLayout(b, c, data, layout{c.usual, deltasTailOff, values})
			}
		})
	}
}

// readings returns the readings of each series: a random walk that is drawn back to 20.
func (c cadence) readings() []chunk.Points {
	random := rand.New(rand.NewPCG(1, 1))
	scale := math.Pow10(c.decimals)
	all := make([]chunk.Points, c.series)
	for i := range all {
		v := 20 + float64(i%7)
		for k := range int64(layoutPoints / c.series) {
			v += 0.001*(20-v) + random.NormFloat64()*2/scale
			ts := benchStart + k*c.step
			if c.jitter > 0 {
				ts += random.Int64N(c.jitter)
			}
			all[i].TS, all[i].Value = append(all[i].TS, ts), append(all[i].Value, math.Round(v*scale)/scale)
		}
	}
	return all
}

// layout is a way to store chunks.
type layout struct {
	span     int64
	instants instantsLayout
	values   valuesLayout
}

func (l layout) String() string {
	return fmt.Sprintf("%s, %s, %s", strings.TrimSuffix((time.Duration(l.span)*time.Millisecond).String(), "0m0s"), l.instants.name, l.values.name)
}

// The table of chunks, but for the two columns that are compared, and the power of ten that some values need. It fills
// what otherwise is padding.
const createLayout = `
CREATE TABLE layout (series_id integer NOT NULL, start_at timestamptz NOT NULL, hours smallint NOT NULL, exponent smallint NOT NULL,
	count integer NOT NULL, min float8 NOT NULL, max float8 NOT NULL, sum float8 NOT NULL, first float8 NOT NULL, last float8 NOT NULL,
	deltas %s NOT NULL, value %s NOT NULL, PRIMARY KEY (series_id, start_at))`

var layoutColumns = []string{"series_id", "start_at", "hours", "exponent", "count", "min", "max", "sum", "first", "last", "deltas", "value"}

// benchLayout measures one layout; one operation reads all.
func benchLayout(b *testing.B, c cadence, data []chunk.Points, l layout) {
	if l.instants.encode(benchStart, data[0].TS[:2]) == nil {
		return
	}
	b.Run(l.String(), func(b *testing.B) {
		db := pgtest.New(b)
		_, err := db.Exec(b.Context(), fmt.Sprintf(createLayout, l.instants.column, l.values.column))
		require.NoError(b, err)
		scale := math.Pow10(c.decimals)
		wrote := copyTimed(b, db, "layout", layoutColumns, func() [][]any { return l.rows(data, scale, c.decimals) })
		size := sizeOf(b, db, "layout")
		got := newPoints(layoutPoints)
		readBest(b, func() error { return l.read(b.Context(), db, got, scale) })
		l.requireSame(b, data, got)
		b.ReportMetric(float64(size)/layoutPoints, "bytes/reading")
		b.ReportMetric(wrote, "write-ms")
	})
}

// rows returns chunks as COPY takes them, in the order in which folds write them.
func (l layout) rows(data []chunk.Points, scale float64, exponent int) (rows [][]any) {
	end := data[0].TS[len(data[0].TS)-1]
	for start := benchStart; start <= end; start += l.span {
		for i, series := range data {
			p := series.Slice(start, start+l.span)
			if p.Len() == 0 {
				continue
			}
			var s chunk.Statistics
			s.Add(p.Value)
			rows = append(rows, []any{
				int32(i), chunk.UTC(start), int16(l.span / chunk.Hour), int16(exponent), int32(s.Count), s.Min, s.Max, s.Sum.High, s.First, s.Last,
				l.instants.encode(start, p.TS), l.values.encode(p.Value, scale),
			})
		}
	}
	return rows
}

// copyTimed makes rows and copies them into a table, vacuums it, and returns how long making and copying took, in ms.
func copyTimed(b *testing.B, db *postgres.DB, table string, columns []string, rows func() [][]any) float64 {
	b.Helper()
	began := time.Now()
	err := db.InTx(b.Context(), pgx.TxOptions{}, func(tx pgx.Tx) error {
		_, err := tx.CopyFrom(b.Context(), pgx.Identifier{table}, columns, pgx.CopyFromRows(rows()))
		return err
	})
	require.NoError(b, err)
	took := time.Since(began)
	_, err = db.Exec(b.Context(), `VACUUM ANALYZE `+table)
	require.NoError(b, err)
	return float64(took) / float64(time.Millisecond)
}

// read reads every chunk, series by series, into p.
func (l layout) read(ctx context.Context, db *postgres.DB, p chunk.Points, scale float64) error {
	rows, err := db.Query(ctx, `SELECT start_at, count, first, deltas, value FROM layout ORDER BY series_id, start_at`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		raw := rows.RawValues()
		n := int(binary.BigEndian.Uint32(raw[1]))
		p.Value[0] = math.Float64frombits(binary.BigEndian.Uint64(raw[2]))
		l.instants.decode(p.TS[:n], chunk.ParseTimestamp(raw[0]), raw[3])
		l.values.decode(p.Value[:n], scale, raw[4])
		p = chunk.Points{TS: p.TS[n:], Value: p.Value[n:]}
	}
	return rows.Err()
}

func newPoints(n int) chunk.Points {
	return chunk.Points{TS: make([]int64, n), Value: make([]float64, n)}
}

// readBest reads again and again and reports the shortest time, which other work on the machine disturbs least.
func readBest(b *testing.B, read func() error) {
	b.Helper()
	best := time.Duration(math.MaxInt64)
	for b.Loop() {
		began := time.Now()
		require.NoError(b, read())
		best = min(best, time.Since(began))
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(best)/float64(time.Millisecond), "read-ms")
}

func (l layout) requireSame(b *testing.B, data []chunk.Points, got chunk.Points) {
	b.Helper()
	for _, series := range data {
		n := series.Len()
		require.Equal(b, series.TS, got.TS[:n])
		if l.values.inexact {
			require.InDeltaSlice(b, series.Value, got.Value[:n], 1e-4)
		} else {
			require.Equal(b, series.Value, got.Value[:n])
		}
		got = chunk.Points{TS: got.TS[n:], Value: got.Value[n:]}
	}
}

// benchRows measures a row a reading, the baseline, in its best case: the rows of a series are together.
func benchRows(b *testing.B, data []chunk.Points) {
	db := pgtest.New(b)
	_, err := db.Exec(b.Context(), `CREATE TABLE plain (series integer, ts timestamptz, value float8, PRIMARY KEY (series, ts))`)
	require.NoError(b, err)
	wrote := copyTimed(b, db, "plain", []string{"series", "ts", "value"}, func() (rows [][]any) {
		for i, series := range data {
			for k := range series.TS {
				rows = append(rows, []any{int32(i), chunk.UTC(series.TS[k]), series.Value[k]})
			}
		}
		return rows
	})
	size := sizeOf(b, db, "plain")
	got := newPoints(layoutPoints)
	readBest(b, func() error {
		rows, err := db.Query(b.Context(), `SELECT ts, value FROM plain ORDER BY series, ts`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for i := 0; rows.Next(); i++ {
			raw := rows.RawValues()
			got.TS[i], got.Value[i] = chunk.ParseTimestamp(raw[0]), math.Float64frombits(binary.BigEndian.Uint64(raw[1]))
		}
		return rows.Err()
	})
	b.ReportMetric(float64(size)/layoutPoints, "bytes/reading")
	b.ReportMetric(wrote, "write-ms")
}
