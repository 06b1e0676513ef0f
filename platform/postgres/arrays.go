package postgres

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/jackc/pgx/v5/pgtype"
)

// codeNumbersAtOnce has a connection encode and decode slices of numbers as wholes: pgx's own way is a call, and several
// looks at types, for each element, into memory that it makes larger again and again. The bytes are the same.
func codeNumbersAtOnce(m *pgtype.Map) {
	for _, oid := range []uint32{pgtype.Int4ArrayOID, pgtype.Int8ArrayOID, pgtype.Float8ArrayOID} {
		general, _ := m.TypeForOID(oid)
		codec := general.Codec.(*pgtype.ArrayCodec)
		m.RegisterType(&pgtype.Type{Name: general.Name, OID: oid, Codec: numbersCodec{codec}})
	}
}

// numbersCodec is that of an array of numbers; see codeNumbersAtOnce.
type numbersCodec struct{ *pgtype.ArrayCodec }

// PlanEncode returns how to encode values of the type of value, nil when that is not known.
func (c numbersCodec) PlanEncode(m *pgtype.Map, oid uint32, format int16, value any) pgtype.EncodePlan {
	if format == pgtype.BinaryFormatCode {
		switch value.(type) {
		case []int32:
			if oid == pgtype.Int4ArrayOID {
				return encodePlan[int32](appendInt32s)
			}
		case []int64:
			if oid == pgtype.Int8ArrayOID {
				return encodePlan[int64](appendInt64s)
			}
		case []float64:
			if oid == pgtype.Float8ArrayOID {
				return encodePlan[float64](appendFloat64s)
			}
		}
	}
	return c.ArrayCodec.PlanEncode(m, oid, format, value)
}

// encodePlan encodes a slice by a function; nil is NULL.
type encodePlan[T any] func(buf []byte, list []T) []byte

// Encode appends the array's binary format.
func (e encodePlan[T]) Encode(value any, buf []byte) ([]byte, error) {
	list := value.([]T)
	if list == nil {
		return nil, nil
	}
	return e(buf, list), nil
}

// headerSize is that of an array of one dimension, in bytes.
const headerSize = 20

// appendHeader appends what comes before the elements, and makes room for them. The format is that of array_send in
// PostgreSQL's arrayfuncs.c: dimensions, whether there are nulls, the elements' type, and the length and first index of
// the one dimension; then each element behind its size.
func appendHeader(buf []byte, element uint32, length, size int) []byte {
	buf = slices.Grow(buf, headerSize+length*(4+size))
	for _, word := range []uint32{1, 0, element, uint32(length), 1} {
		buf = binary.BigEndian.AppendUint32(buf, word)
	}
	return buf
}

func appendInt32s(buf []byte, list []int32) []byte {
	buf = appendHeader(buf, pgtype.Int4OID, len(list), 4)
	for _, n := range list {
		buf = binary.BigEndian.AppendUint64(buf, 4<<32|uint64(uint32(n)))
	}
	return buf
}

func appendInt64s(buf []byte, list []int64) []byte {
	buf = appendHeader(buf, pgtype.Int8OID, len(list), 8)
	for _, n := range list {
		buf = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(buf, 8), uint64(n))
	}
	return buf
}

func appendFloat64s(buf []byte, list []float64) []byte {
	buf = appendHeader(buf, pgtype.Float8OID, len(list), 8)
	for _, x := range list {
		buf = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(buf, 8), math.Float64bits(x))
	}
	return buf
}
