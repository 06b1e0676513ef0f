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

func TestNumbers_AreEncodedAsPgxDoes(t *testing.T) {
	t.Parallel()
	theirs, ours := pgtype.NewMap(), pgtype.NewMap()
	codeNumbersAtOnce(ours)
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

// scanned returns what a connection makes of an array's bytes.
func scanned[T any](m *pgtype.Map, oid uint32, format int16, src []byte) (list []T, failed bool) {
	list = []T{}
	err := m.Scan(oid, format, src, &list)
	return list, err != nil
}

func requireScannedAlike[T any](t *testing.T, oid uint32, format int16, src []byte) {
	t.Helper()
	theirs, ours := pgtype.NewMap(), pgtype.NewMap()
	codeNumbersAtOnce(ours)
	want, wantFailed := scanned[T](theirs, oid, format, src)
	got, failed := scanned[T](ours, oid, format, src)
	require.Equal(t, wantFailed, failed, "%d %d %x", oid, format, src)
	if !failed {
		require.Equal(t, want, got, "%d %d %x", oid, format, src)
	}
}

// Arrays that no slice of numbers can be: elements that are NULL, two dimensions, and bytes that end too soon or too late.
func TestNumbers_AreDecodedAsPgxDoes(t *testing.T) {
	t.Parallel()
	m := pgtype.NewMap()
	three := int32(3)
	square := pgtype.Array[int32]{Elements: []int32{1, 2, 3, 4}, Dims: []pgtype.ArrayDimension{{Length: 2, LowerBound: 1}, {Length: 2, LowerBound: 1}}, Valid: true}
	for oid, values := range arrays {
		values = append(values, []*int32{&three, nil}, square)
		for _, value := range values {
			for _, format := range []int16{pgtype.BinaryFormatCode, pgtype.TextFormatCode} {
				src, err := m.Encode(oid, format, value, nil)
				require.NoError(t, err)
				cases := [][]byte{src}
				if len(src) > 0 && format == pgtype.BinaryFormatCode {
					cases = append(cases, src[:len(src)-1], src[:len(src)/2], src[:3], []byte{})
				}
				for _, src := range cases {
					requireScannedAlike[int32](t, oid, format, src)
					requireScannedAlike[int64](t, oid, format, src)
					requireScannedAlike[float64](t, oid, format, src)
				}
			}
		}
	}
}

func BenchmarkDecodeArray(b *testing.B) {
	list := make([]float64, 2000)
	for name, prepare := range map[string]func(*pgtype.Map){"ours": codeNumbersAtOnce, "pgx": func(*pgtype.Map) {}} {
		b.Run(name, func(b *testing.B) {
			m := pgtype.NewMap()
			prepare(m)
			src, err := m.Encode(pgtype.Float8ArrayOID, pgtype.BinaryFormatCode, list, nil)
			require.NoError(b, err)
			b.ReportAllocs()
			for b.Loop() {
				var list []float64
				if err := m.Scan(pgtype.Float8ArrayOID, pgtype.BinaryFormatCode, src, &list); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkEncodeArray(b *testing.B) {
	list := make([]float64, 2000)
	for name, prepare := range map[string]func(*pgtype.Map){"ours": codeNumbersAtOnce, "pgx": func(*pgtype.Map) {}} {
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
