package readings_test

import (
	"encoding/binary"
	"math"
	"math/big"

	"telltale/modules/readings/chunk"

	"github.com/jackc/pgx/v5/pgtype"
)

// instantsLayout is a way to store the instants of a chunk in one column.
type instantsLayout struct {
	name, column string
	// encode returns what COPY takes; nil when the instants do not fit.
	encode func(start int64, ts []int64) any
	// decode writes the instants of the column's binary form into ts, which has their number.
	decode func(ts []int64, start int64, raw []byte)
}

// valuesLayout is a way to store the values of a chunk in one column. scale is a power of ten that makes integers of them.
// Decoding finds the first one, which chunks have as a column, in its place already.
type valuesLayout struct {
	name, column string
	inexact      bool // what is read is not always what was written
	encode       func(values []float64, scale float64) any
	decode       func(values []float64, scale float64, raw []byte)
}

var (
	deltasTailOff = instantsLayout{
		"int4[] deltas, tail off", "integer[]",
		func(start int64, ts []int64) any { return chunk.EncodeDeltas(start, ts) },
		func(ts []int64, start int64, raw []byte) {
			deltas := elements(raw, 4)
			step := int64(0)
			for i := range ts {
				if i*8 < len(deltas) {
					step = int64(int32(binary.BigEndian.Uint32(deltas[i*8+4:])))
				}
				start += step
				ts[i] = start
			}
		},
	}
	deltasFull = instantsLayout{
		"int4[] deltas, full", "integer[]",
		func(start int64, ts []int64) any { return differences[int32](start, ts) },
		deltasTailOff.decode,
	}
	deltasShort = instantsLayout{
		"int2[] deltas, full", "smallint[]",
		func(start int64, ts []int64) any {
			for i := range ts {
				before := start
				if i > 0 {
					before = ts[i-1]
				}
				if ts[i]-before > math.MaxInt16 {
					return nil
				}
			}
			return differences[int16](start, ts)
		},
		func(ts []int64, start int64, raw []byte) {
			deltas := elements(raw, 2)
			for i := range ts {
				start += int64(int16(binary.BigEndian.Uint16(deltas[i*6+4:])))
				ts[i] = start
			}
		},
	}
	instantsWhole = instantsLayout{
		"int8[] instants", "bigint[]",
		func(_ int64, ts []int64) any { return ts },
		func(ts []int64, _ int64, raw []byte) {
			for i, whole := 0, elements(raw, 8); i < len(ts); i++ {
				ts[i] = int64(binary.BigEndian.Uint64(whole[i*12+4:]))
			}
		},
	}
	deltasOfDeltas = instantsLayout{
		"bytea of delta-of-delta varints", "bytea",
		func(start int64, ts []int64) any {
			packed, last := []byte{}, int64(0)
			for _, d := range differences[int64](start, ts) {
				packed = binary.AppendVarint(packed, d-last)
				last = d
			}
			return packed
		},
		func(ts []int64, start int64, raw []byte) {
			delta := int64(0)
			for i := range ts {
				change, n := binary.Varint(raw)
				raw, delta = raw[n:], delta+change
				start += delta
				ts[i] = start
			}
		},
	}
)

var (
	doubles = valuesLayout{
		"float8[]", "double precision[]", false,
		func(values []float64, _ float64) any { return values },
		func(values []float64, _ float64, raw []byte) {
			for i, all := 0, elements(raw, 8); i < len(values); i++ {
				values[i] = math.Float64frombits(binary.BigEndian.Uint64(all[i*12+4:]))
			}
		},
	}
	singles = valuesLayout{
		"float4[], inexact", "real[]", true,
		func(values []float64, _ float64) any {
			short := make([]float32, len(values))
			for i, v := range values {
				short[i] = float32(v)
			}
			return short
		},
		func(values []float64, _ float64, raw []byte) {
			for i, all := 0, elements(raw, 4); i < len(values); i++ {
				values[i] = float64(math.Float32frombits(binary.BigEndian.Uint32(all[i*8+4:])))
			}
		},
	}
	scaled      = integers("int4[] scaled", "integer[]", scaledBy[int32], 4)
	scaledShort = integers("int2[] scaled", "smallint[]", scaledBy[int16], 2)
	steps       = running("int4[] scaled deltas", "integer[]", scaledSteps[int32], 4)
	stepsShort  = running("int2[] scaled deltas", "smallint[]", scaledSteps[int16], 2)
	stepsTiny   = valuesLayout{
		"\"char\"[] scaled deltas after the first", `"char"[]`, false,
		func(values []float64, scale float64) any {
			all := scaledSteps[rune](values, scale)
			all[0] = 0
			for i, step := range all {
				if step != rune(int8(step)) {
					return nil
				}
				all[i] = rune(byte(step))
			}
			return all
		},
		func(values []float64, scale float64, raw []byte) {
			sum := int64(math.Round(values[0] * scale))
			for i, all := 0, elements(raw, 1); i < len(values); i++ {
				sum += int64(int8(all[i*5+4]))
				values[i] = float64(sum) / scale
			}
		},
	}
	numerics = valuesLayout{
		"numeric[]", "numeric[]", false,
		func(values []float64, scale float64) any {
			exponent := int32(-math.Round(math.Log10(scale)))
			all := make([]pgtype.Numeric, len(values))
			for i, v := range values {
				all[i] = pgtype.Numeric{Int: big.NewInt(int64(math.Round(v * scale))), Exp: exponent, Valid: true}
			}
			return all
		},
		func(values []float64, scale float64, raw []byte) {
			raw = raw[20:]
			for i := range values {
				size := binary.BigEndian.Uint32(raw)
				values[i] = parseNumeric(raw[4:4+size], scale)
				raw = raw[4+size:]
			}
		},
	}
	varints = valuesLayout{
		"bytea of scaled delta varints", "bytea", false,
		func(values []float64, scale float64) any {
			packed, last := []byte{}, int64(0)
			for _, v := range values {
				n := int64(math.Round(v * scale))
				packed, last = binary.AppendVarint(packed, n-last), n
			}
			return packed
		},
		func(values []float64, scale float64, raw []byte) {
			sum := int64(0)
			for i := range values {
				step, n := binary.Varint(raw)
				raw, sum = raw[n:], sum+step
				values[i] = float64(sum) / scale
			}
		},
	}
	gorilla = valuesLayout{
		"bytea of XOR (Gorilla)", "bytea", false,
		func(values []float64, _ float64) any { return packXOR(values) },
		func(values []float64, _ float64, raw []byte) { unpackXOR(values, raw) },
	}
)

// integers stores values as scaled integers, each of the given number of bytes.
func integers[T int16 | int32](name, column string, encode func([]float64, float64) []T, size int) valuesLayout {
	return valuesLayout{name, column, false, func(v []float64, scale float64) any { return encode(v, scale) }, func(values []float64, scale float64, raw []byte) {
		for i, all := 0, elements(raw, size); i < len(values); i++ {
			values[i] = float64(integer(all[i*(size+4)+4:], size)) / scale
		}
	}}
}

// running stores the differences of scaled integers.
func running[T int16 | int32](name, column string, encode func([]float64, float64) []T, size int) valuesLayout {
	return valuesLayout{name, column, false, func(v []float64, scale float64) any { return encode(v, scale) }, func(values []float64, scale float64, raw []byte) {
		sum := int64(0)
		for i, all := 0, elements(raw, size); i < len(values); i++ {
			sum += integer(all[i*(size+4)+4:], size)
			values[i] = float64(sum) / scale
		}
	}}
}

func integer(b []byte, size int) int64 {
	if size == 2 {
		return int64(int16(binary.BigEndian.Uint16(b)))
	}
	return int64(int32(binary.BigEndian.Uint32(b)))
}

// elements returns the elements of an array that is not empty, behind its header of 20 bytes.
func elements(raw []byte, size int) []byte {
	if all := raw[20:]; len(all)%(size+4) == 0 {
		return all
	}
	panic("an array is cut off")
}

func differences[T int16 | int32 | int64](start int64, ts []int64) []T {
	all := make([]T, len(ts))
	for i, t := range ts {
		all[i], start = T(t-start), t
	}
	return all
}

func scaledBy[T int16 | int32](values []float64, scale float64) []T {
	all := make([]T, len(values))
	for i, v := range values {
		all[i] = T(math.Round(v * scale))
	}
	return all
}

func scaledSteps[T int16 | int32](values []float64, scale float64) []T {
	all, last := make([]T, len(values)), T(0)
	for i, v := range values {
		n := T(math.Round(v * scale))
		all[i], last = n-last, n
	}
	return all
}

// parseNumeric reads numeric_send's form: number of digits to the base of 10,000, weight of the first, sign, scale, digits.
func parseNumeric(raw []byte, scale float64) float64 {
	n, weight := int(binary.BigEndian.Uint16(raw)), int(int16(binary.BigEndian.Uint16(raw[2:])))
	sum := int64(0) // in ten-thousandths
	for i := range n {
		d := int64(binary.BigEndian.Uint16(raw[8+2*i:]))
		for range weight - i + 1 {
			d *= 10_000
		}
		sum += d
	}
	if binary.BigEndian.Uint16(raw[4:]) != 0 {
		sum = -sum
	}
	return float64(sum/int64(10_000/scale)) / scale
}
