package readings_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/config"
	"telltale/modules/readings/fold"
	"telltale/modules/readings/history"
	"telltale/modules/series"
	"telltale/platform/postgres"
	"telltale/platform/postgres/pgtest"
)

// backfill is years of regular readings that come in random order, and the plain model of them.
type backfill struct {
	e      *engine
	random *rand.Rand
	first  int64
	step   int64
	ids    []int32
	values [][]float64 // by series and step in time; NaN where no reading has come yet
	order  []int32     // of the readings still to come: series * steps + step
}

func newBackfill(t testing.TB, e *engine, n int, step time.Duration, first, end time.Time) *backfill {
	t.Helper()
	b := &backfill{e: e, random: rand.New(rand.NewPCG(3, 4)), first: first.UnixMilli(), step: step.Milliseconds()}
	steps := int((end.UnixMilli() - b.first) / b.step)
	var names []series.Name
	for i := range n {
		names = append(names, series.Name{Device: fmt.Sprintf("device-%02d", i), Metric: "m"})
		values := make([]float64, steps)
		for k := range values {
			values[k] = math.NaN()
			b.order = append(b.order, int32(i*steps+k))
		}
		b.values = append(b.values, values)
	}
	_, err := e.Registry.Register(context.Background(), names, true)
	require.NoError(t, err)
	for _, name := range names {
		id, ok := e.Registry.Find(name.Device, name.Metric)
		require.True(t, ok)
		b.ids = append(b.ids, id)
	}
	b.random.Shuffle(len(b.order), func(i, j int) { b.order[i], b.order[j] = b.order[j], b.order[i] })
	return b
}

// post sends the next readings, some of which correct others, and reports whether more are to come.
func (b *backfill) post(t testing.TB, count, corrections int) (more bool) {
	t.Helper()
	steps := len(b.values[0])
	next := b.order[:min(count, len(b.order))]
	b.order = b.order[len(next):]
	var series []int32
	var ts []int64
	var value []float64
	add := func(i, k int) {
		v := math.Round(200+50*b.random.NormFloat64()) / 10
		series, ts, value = append(series, b.ids[i]), append(ts, b.first+int64(k)*b.step), append(value, v)
		b.values[i][k] = v
	}
	for _, at := range next {
		add(int(at)/steps, int(at)%steps)
	}
	for range corrections {
		add(b.random.IntN(len(b.values)), b.random.IntN(steps))
	}
	_, err := b.e.Appender.Append(context.Background(), series, ts, value)
	require.NoError(t, err)
	return len(b.order) > 0
}

// A backfill of three years in wholly random order: each fold touches every chunk that there is, and still has no more of
// it in memory than a few steps.
func TestBackfill_OfYearsInRandomOrderStaysWithinItsMemory(t *testing.T) { //nolint:paralleltest // it measures the heap
	e := startEngine(t, pgtest.New(t), func(limits *config.Readings) { limits.MaxUnfoldedReadings = 1 << 30 })
	const step, pack = 5000, 1000 // 15 minutes apart: chunks of days
	e.FoldWith(func(p *fold.Parts) { p.Step, p.Pack = step, pack })
	b := newBackfill(t, e, 2, 15*time.Minute,
		time.Date(2023, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))

	heap := func() int64 {
		runtime.GC()
		runtime.GC() // what pools hold survives the first
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		return int64(stats.HeapAlloc)
	}
	var base, highest int64
	most, calls := 0, 0
	e.FoldWith(func(p *fold.Parts) {
		p.Held = func(readings int) {
			most = max(most, readings)
			if calls++; calls%4 == 0 {
				highest = max(highest, heap()-base)
			}
		}
	})

	for n := 1; b.post(t, 10_000, 500); n++ {
		if n%6 == 0 {
			base = heap()
			e.FoldAll(t)
		}
	}
	base = heap()
	e.FoldAll(t)
	require.Greater(t, most, step/2)
	require.LessOrEqual(t, most, 3*step)
	require.GreaterOrEqual(t, calls, 4, "the heap has been measured")
	// A reading takes 16 bytes, decoded and as it came from the database; the rest is what a step needs beside.
	require.Less(t, highest, int64(3*step*2*16+2<<20))
	b.requireStored(t)
}

// requireStored compares all of history with the model.
func (b *backfill) requireStored(t testing.TB) {
	t.Helper()
	for i, want := range b.values {
		query := history.Query{From: b.first, To: b.first + int64(len(want))*b.step, Selection: history.Selection{Devices: []string{fmt.Sprintf("device-%02d", i)}}}
		got := b.e.Answer(t, query).Rows[fmt.Sprintf("device-%02d/m", i)]
		require.Len(t, got, len(want))
		for k, point := range got {
			if point[0] != float64(b.first+int64(k)*b.step) || point[1] != want[k] {
				t.Fatalf("series %d: %v is %v, want %v", i, point[0], point[1], want[k])
			}
		}
	}
}

// walOf returns how many bytes have been written to the server's write-ahead log so far.
func walOf(t testing.TB, db *postgres.DB) (written int64) {
	t.Helper()
	require.NoError(t, db.QueryRow(context.Background(), `SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint`).Scan(&written))
	return written
}
