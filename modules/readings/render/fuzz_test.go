package render

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// requireFloat holds AppendFloat to encoding/json, byte for byte.
func requireFloat(t *testing.T, v float64) {
	t.Helper()
	got := string(AppendFloat([]byte("x"), v)[1:])
	if math.IsNaN(v) || math.IsInf(v, 0) {
		require.Equal(t, "null", got)
		return
	}
	if want, _ := json.Marshal(v); string(want) != got {
		require.Equal(t, string(want), got)
	}
}

func TestFloats_AreThoseOfEncodingJSON(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("-short: floats are not compared with those of encoding/json")
	}
	for _, v := range []float64{
		0, math.Copysign(0, -1), 1, -1, 9.5, 10, 99.99, 999.999, 9999.9999, 9999.99995, 9999.99999999, 10000, -10000.00005, 1e7,
		9999999.99999999, 123456.12345678, 1e14, 1e15 - 1, 1e15, 1<<53 + 2, 1e20, 1e21, -1e21, 1e-4, 1e-5, 1e-6, 1e-7, 9.99e-7, 1e-10,
		1e-100, 5e-324, math.MaxFloat64, 0.1, 0.3, 0.1 + 0.2, 1.0 / 3, 21.299999237060547, 1e22, 1e23, math.NaN(), math.Inf(1), math.Inf(-1),
	} {
		requireFloat(t, v)
	}
	random := rand.New(rand.NewPCG(3, 4))
	for range 40_000 {
		n := float64(random.Int64N(1 << (1 + random.IntN(61))))
		v := n / math.Pow10(random.IntN(14))
		requireFloat(t, v)
		requireFloat(t, -v)
		requireFloat(t, math.Nextafter(v, math.Inf(1)))
		requireFloat(t, math.Float64frombits(random.Uint64()))
	}
	for n := range 20_000 {
		requireFloat(t, float64(n)/10)
		requireFloat(t, float64(n)/10000)
	}
}

func FuzzAppendFloat(f *testing.F) {
	for _, v := range []float64{0, 21.5, -0.0001, 1e15, 123456.789, 1e21, 1e-7, 0.1 + 0.2} {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, v float64) {
		requireFloat(t, v)
		requireFloat(t, math.Round(v*1e4)/1e4)
	})
}

func FuzzAppendString(f *testing.F) {
	for _, s := range []string{"", "plain", "q\"b\\/\b\f\n\r\t\x00\x1f\x7f", "<é&\u2028\u2029😀>", "\xff\xc3", "a\xe2\x80"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var want bytes.Buffer
		encoder := json.NewEncoder(&want)
		encoder.SetEscapeHTML(false)
		require.NoError(t, encoder.Encode(s))
		require.Equal(t, want.String(), string(AppendString(nil, s))+"\n")
	})
}

func FuzzTimes(f *testing.F) {
	for _, ts := range []int64{0, -1, 1, 1762128000000, 99_999_999, 100_000_000, maxClock, maxClock + 1, maxMillis, maxMillis + 1, math.MinInt64} {
		f.Add(ts, ts+59_999, int64(1))
	}
	f.Fuzz(func(t *testing.T, a, b, c int64) {
		var millis millisWriter
		var clock clockWriter
		buf := make([]byte, 2*widest)
		for _, ts := range []int64{a, b, c, a, a + 1, b} {
			require.Equal(t, strconv.FormatInt(ts, 10), string(buf[:millis.put(buf, 0, ts)]))
			want := time.UnixMilli(ts).UTC().Format("2006-01-02T15:04:05.000Z07:00")
			require.Equal(t, want, string(buf[:clock.put(buf, 0, ts)]))
			require.Equal(t, want, string(AppendTime(nil, ts)))
		}
	})
}
