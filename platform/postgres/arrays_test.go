package postgres

import (
	"math"
	"testing"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/stretchr/testify/require"
)

// arrays are of each kind; what follows the slice of its own type is encoded by pgx's general codec in any case.
var arrays = map[uint32][]any{
	pgtype.Int4ArrayOID:   {[]int32{0, 1, -1, math.MinInt32, math.MaxInt32}, []int32{}, []int32(nil), []int64{1, -2}, []int32{7}},
	pgtype.Int8ArrayOID:   {[]int64{0, 1, -1, math.MinInt64, math.MaxInt64}, []int64{}, []int64(nil), []int32{1, -2}},
	pgtype.Float8ArrayOID: {[]float64{0, math.Copysign(0, -1), 21.5, math.Inf(-1), math.MaxFloat64}, []float64{}, []float64(nil), []float32{1.5}},
}

func TestNumbersAreEncodedAsPgxDoes(t *testing.T) {
	t.Parallel()
	theirs, ours := pgtype.NewMap(), pgtype.NewMap()
	encodeNumbersAtOnce(ours)
	for oid, values := range arrays {
		for _, value := range values {
			for _, format := range []int16{pgtype.BinaryFormatCode, pgtype.TextFormatCode} {
				want, err := theirs.Encode(oid, format, value, []byte("before"))
				require.NoError(t, err)
				got, err := ours.Encode(oid, format, value, []byte("before"))
				require.NoError(t, err)
				require.Equal(t, want, got, "%T %v", value, value)
			}
		}
	}
}

func BenchmarkEncodeArray(b *testing.B) {
	list := make([]float64, 2000)
	for name, prepare := range map[string]func(*pgtype.Map){"ours": encodeNumbersAtOnce, "pgx": func(*pgtype.Map) {}} {
		b.Run(name, func(b *testing.B) {
			m := pgtype.NewMap()
			prepare(m)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := m.Encode(pgtype.Float8ArrayOID, pgtype.BinaryFormatCode, list, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
