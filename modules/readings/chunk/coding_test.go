package chunk

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

const testStart = 1_790_812_800_000

// series are readings of kinds that devices have, and of kinds that they should not have.
func series(n int) map[string]Points {
	random := rand.New(rand.NewPCG(1, 2))
	kinds := map[string]Points{}
	add := func(name string, step func(i int) int64, value func(i int) float64) {
		var p Points
		at := int64(testStart)
		for i := range n {
			p.TS, p.Value = append(p.TS, at), append(p.Value, value(i))
			at += step(i)
		}
		kinds[name] = p
	}
	every := func(ms int64) func(int) int64 { return func(int) int64 { return ms } }
	walk := func(decimals int) func(int) float64 {
		v, scale := 20.0, math.Pow10(decimals)
		return func(int) float64 {
			v += 0.001*(20-v) + random.NormFloat64()*2/scale
			return math.Round(v*scale) / scale
		}
	}
	add("one decimal", every(10_000), walk(1))
	add("two decimals", every(100), walk(2))
	add("jittered", func(int) int64 { return 9_990 + random.Int64N(20) }, walk(1))
	add("9, 11, 9, 11", func(i int) int64 { return 9_000 + 2_000*int64(i%2) }, walk(1))
	add("with a gap", func(i int) int64 { return 10_000 + 3_000_000*int64(i/100%2) }, walk(1))
	add("constant", every(1000), func(int) float64 { return 21.3 })
	add("counter", every(1000), func(i int) float64 { return 1e12 + float64(i*7) })
	add("states", every(1000), func(i int) float64 { return float64(i / 30 % 2) })
	add("one spike", every(1000), func(i int) float64 { return map[bool]float64{true: 1e9, false: 20.5}[i == 77] })
	add("one long value", every(1000), func(i int) float64 { return map[bool]float64{true: math.Pi, false: 20.5}[i == 77] })
	add("17 digits", every(1000), func(int) float64 { return 20 + random.Float64() })
	add("float32", every(1000), func(int) float64 { return float64(float32(20 + random.Float64())) })
	add("random bits", every(1000), func(int) float64 {
		for {
			if v := math.Float64frombits(random.Uint64()); !math.IsNaN(v) && !math.IsInf(v, 0) {
				return v
			}
		}
	})
	nasty := []float64{
		math.Copysign(0, -1), 0, 5e-324, -5e-324, 2.2250738585072014e-308, math.MaxFloat64, -math.MaxFloat64, 1 << 53, 1<<53 + 2, -(1 << 53),
		0.1, 0.30000000000000004, 123456789.123456789, 1e15, 1e-15, 1e-16, 9007199254740991, 0.000001, 1e22, 1e23, -17.5,
	}
	add("nasty", func(i int) int64 { return int64(i % 3 * 1_000_000) }, func(i int) float64 { return nasty[i%len(nasty)] })
	return kinds
}

func TestChunk_IsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 2, 63, 64, 65, 128, 360, 2976} {
		for name, want := range series(n) {
			t.Run(fmt.Sprintf("%d of %s", n, name), func(t *testing.T) {
				t.Parallel()
				got, err := Decode(Points{}, testStart, Encode(testStart, want), math.MinInt64, math.MaxInt64)
				require.NoError(t, err)
				requireSame(t, want, got)
			})
		}
	}
}

// Batches of the log have readings of many series, in any order.
func TestEncode_TakesInstantsInAnyOrder(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(5, 6))
	for name, draw := range map[string]func(i int) int64{
		"series by series": func(i int) int64 { return testStart + int64(i%100)*10_000 },
		"backwards":        func(i int) int64 { return testStart - int64(i)*10_000 },
		"anything":         func(int) int64 { return random.Int64N(9_000_000_000_000) },
		"the extremes":     func(i int) int64 { return int64(i%2) * 9_223_372_036_854 },
	} {
		var want Points
		for i := range 500 {
			want.TS, want.Value = append(want.TS, draw(i)), append(want.Value, float64(i))
		}
		got, err := Decode(Points{}, 0, Encode(0, want), math.MinInt64, math.MaxInt64)
		require.NoError(t, err, name)
		requireSame(t, want, got)
	}
}

func TestEncodeIDs_GivesThemBackInOrder(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(7, 8))
	for _, n := range []int{0, 1, 64, 1000} {
		ids := make([]int32, n)
		for i := range ids {
			ids[i] = random.Int32() >> random.IntN(31)
		}
		got, err := DecodeIDs([]int32{7}, EncodeIDs(ids))
		require.NoError(t, err)
		require.Equal(t, append([]int32{7}, ids...), got)
	}
}

func requireSame(t *testing.T, want, got Points) {
	t.Helper()
	require.Equal(t, want.Len(), got.Len())
	for i := range want.TS {
		require.Equal(t, want.TS[i], got.TS[i], "time %d", i)
		require.Equal(t, math.Float64bits(want.Value[i]), math.Float64bits(got.Value[i]), "value %d: %v, %v", i, want.Value[i], got.Value[i])
	}
}

// What is outside the range may be in the answer, what is within it is, and nothing is in it twice.
func TestChunk_OfWhichARangeIsReadHasAllOfIt(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	for name, all := range series(1000) {
		if name == "nasty" {
			continue // its times repeat, which no chunk's do
		}
		data := Encode(testStart, all)
		for range 50 {
			from := all.TS[0] + random.Int64N(all.TS[999]-all.TS[0])
			to := from + random.Int64N(all.TS[999]-from+2)
			got, err := Decode(Points{}, testStart, data, from, to)
			require.NoError(t, err, name)
			requireSame(t, all.Slice(from, to), got.Slice(from, to))
			require.LessOrEqual(t, got.Len(), all.Slice(from, to).Len()+2*blockSize, name)
		}
	}
}

// Bytes a reading in a chunk, the row around it apart.
func TestChunk_IsSmall(t *testing.T) {
	t.Parallel()
	for name, most := range map[string]float64{
		"one decimal": 0.72, "two decimals": 0.75, "jittered": 1.6, "9, 11, 9, 11": 2.3, "constant": 0.05, "counter": 1.4, "states": 0.2,
		"one spike": 0.2, "one long value": 0.4, "17 digits": 8.2, "float32": 5.2, "random bits": 8.2,
	} {
		size := float64(len(Encode(testStart, series(8640)[name]))) / 8640
		t.Logf("%s: %.2f", name, size)
		require.LessOrEqual(t, size, most, name)
	}
}

// FuzzChunk_IsReadAsItWasWritten makes instants and values of arbitrary bytes.
func FuzzChunk_IsReadAsItWasWritten(f *testing.F) {
	f.Add([]byte{0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1})
	f.Add([]byte{0, 0, 39, 16, 64, 53, 128, 0, 0, 0, 0, 0, 0, 0, 39, 16, 64, 53, 153, 153, 153, 153, 153, 154})
	f.Fuzz(func(t *testing.T, raw []byte) {
		var want Points
		for at := int64(testStart); len(raw) >= 12; raw = raw[12:] {
			at += int64(binary.BigEndian.Uint32(raw)) >> 8
			value := math.Float64frombits(binary.BigEndian.Uint64(raw[4:]))
			if math.IsNaN(value) || math.IsInf(value, 0) {
				value = float64(raw[5]) / 10
			}
			want.TS, want.Value = append(want.TS, at), append(want.Value, value)
			at++
		}
		got, err := Decode(Points{}, testStart, Encode(testStart, want), math.MinInt64, math.MaxInt64)
		require.NoError(t, err)
		requireSame(t, want, got)
	})
}

// FuzzChunk_ThatIsMalformedIsRefused gives Decode arbitrary bytes: it may refuse them, but not fail.
func FuzzChunk_ThatIsMalformedIsRefused(f *testing.F) {
	for _, points := range series(130) {
		f.Add(Encode(testStart, points), int64(math.MinInt64), int64(math.MaxInt64))
	}
	f.Add([]byte{1}, int64(0), int64(1))
	f.Fuzz(func(t *testing.T, data []byte, from, to int64) {
		points, err := Decode(Points{}, testStart, data, from, to)
		require.Len(t, points.Value, points.Len())
		if err != nil {
			require.ErrorIs(t, err, ErrMalformed)
		}
	})
}

func BenchmarkChunk(b *testing.B) {
	for name, points := range series(8640) {
		data := Encode(testStart, points)
		b.Run("decode/"+name, func(b *testing.B) {
			var dst Points
			for b.Loop() {
				dst, _ = Decode(Points{dst.TS[:0], dst.Value[:0]}, testStart, data, math.MinInt64, math.MaxInt64)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/8640, "ns/reading")
		})
		b.Run("encode/"+name, func(b *testing.B) {
			for b.Loop() {
				Encode(testStart, points)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/8640, "ns/reading")
		})
	}
}
