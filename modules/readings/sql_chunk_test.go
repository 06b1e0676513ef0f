package readings_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/modules/readings/chunk"
	"telltale/platform/postgres/pgtest"
)

// sqlKinds are readings of a day whose chunks use every part of the format: instants of the line, near it and far from it, numbers
// of every width, and raw values.
func sqlKinds(start int64) map[string]chunk.Points {
	random := rand.New(rand.NewPCG(7, 7))
	kinds := map[string]chunk.Points{}
	add := func(name string, step func(i int) int64, value func(i int) float64) {
		var p chunk.Points
		for at := start; at < start+chunk.Day && p.Len() < 700; at += step(p.Len()) {
			p.TS, p.Value = append(p.TS, at), append(p.Value, value(p.Len()))
		}
		kinds[name] = p
	}
	minute := func(int) int64 { return chunk.Minute }
	add("decimal", minute, func(int) float64 { return math.Round(random.NormFloat64()*100) / 10 })
	add("jitter", func(int) int64 { return chunk.Minute + random.Int64N(40) }, func(int) float64 { return 21.5 })
	add("far", func(i int) int64 { return 1 + int64(i%7)*random.Int64N(200_000) }, func(i int) float64 { return float64(i) })
	widths := 0
	add("widths", minute, func(i int) float64 {
		if i%64 == 0 {
			widths += 5
		}
		return float64(random.Int64N(1 << min(widths, 53)))
	})
	for _, digits := range []float64{1e3, 1e6, 1e9, 1e12, 1e15} {
		add("digits "+time.Duration(digits).String(), minute, func(int) float64 { return math.Round(random.Float64()*digits) / digits })
	}
	add("float32", minute, func(int) float64 { return float64(float32(random.NormFloat64())) })
	add("bits", minute, func(int) float64 {
		for {
			if v := math.Float64frombits(random.Uint64()); !math.IsNaN(v) && !math.IsInf(v, 0) {
				return v
			}
		}
	})
	nasty := []float64{
		math.Copysign(0, -1), 0, 5e-324, -5e-324, 2.2250738585072014e-308, 2.225073858507201e-308, math.MaxFloat64, -math.MaxFloat64,
		1 << 53, -(1 << 53), 1<<53 + 2, 0.1, 0.30000000000000004, 1e22, 1e23, 1e-15, 1e-16, math.Pi,
	}
	add("nasty", minute, func(i int) float64 { return nasty[i%len(nasty)] })
	return kinds
}

// chunk_readings reads what Encode has written, bit for bit, also a part of it.
func TestSQL_ReadsEveryFormOfAChunk(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	const start = 1_792_800_000_000
	for name, want := range sqlKinds(start) {
		data := chunk.Encode(start, want)
		for _, since := range []int64{start, want.TS[want.Len()/3], want.TS[want.Len()-1]} {
			var got chunk.Points
			rows, err := db.Query(t.Context(), `SELECT (extract(epoch FROM ts) * 1000)::bigint, value FROM chunk_readings($1, $2, $3, $4) WHERE ts >= $3`,
				chunk.UTC(start), data, chunk.UTC(since), chunk.UTC(start+chunk.Day))
			require.NoError(t, err)
			for rows.Next() {
				var ts int64
				var value float64
				require.NoError(t, rows.Scan(&ts, &value))
				got.TS, got.Value = append(got.TS, ts), append(got.Value, value)
			}
			require.NoError(t, rows.Err(), name)
			part := want.Slice(since, start+chunk.Day)
			require.Equal(t, part.TS, got.TS, name)
			for i := range part.Value {
				require.Equal(t, math.Float64bits(part.Value[i]), math.Float64bits(got.Value[i]), "%s %d: %v, %v", name, i, part.Value[i], got.Value[i])
			}
		}
	}
}

func TestSQL_RefusesAChunkOfALaterFormat(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	data := chunk.Encode(0, chunk.Points{TS: []int64{1}, Value: []float64{2}})
	data[0]++
	_, err := db.Exec(t.Context(), `SELECT * FROM chunk_readings('epoch', $1, NULL, NULL)`, data)
	require.Error(t, err)
}
