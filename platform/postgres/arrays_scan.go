package postgres

import (
	"encoding/binary"
	"math"

	"github.com/jackc/pgx/v5/pgtype"
)

// PlanScan returns how to decode values into the target, nil when that is not known here.
func (c numbersCodec) PlanScan(m *pgtype.Map, oid uint32, format int16, target any) pgtype.ScanPlan {
	general := func() pgtype.ScanPlan { return c.planElements(m, oid, format, target) }
	if format == pgtype.BinaryFormatCode {
		switch target.(type) {
		case *[]int32:
			if oid == pgtype.Int4ArrayOID {
				return decodePlan[int32]{4, pgtype.Int4OID, decodeInt32s, general()}
			}
		case *[]int64:
			if oid == pgtype.Int8ArrayOID {
				return decodePlan[int64]{8, pgtype.Int8OID, decodeInt64s, general()}
			}
		case *[]float64:
			if oid == pgtype.Float8ArrayOID {
				return decodePlan[float64]{8, pgtype.Float8OID, decodeFloat64s, general()}
			}
		}
	}
	return c.ArrayCodec.PlanScan(m, oid, format, target)
}

// planElements is pgx's own way, element by element. It refuses what the slice cannot hold, such as NULL among the numbers.
func (c numbersCodec) planElements(m *pgtype.Map, oid uint32, format int16, target any) pgtype.ScanPlan {
	plan, next, _ := pgtype.TryWrapPtrSliceScanPlan(target)
	plan.SetNext(c.ArrayCodec.PlanScan(m, oid, format, next))
	return plan
}

// decodePlan decodes an array of one dimension without NULL, which is what Telltale stores, by a function; any other by the
// general plan.
type decodePlan[T any] struct {
	size    int // of an element, in bytes
	element uint32
	decode  func(list []T, src []byte)
	general pgtype.ScanPlan
}

// Scan replaces the slice that target points to: memory that it had is not used again. NULL is nil.
func (d decodePlan[T]) Scan(src []byte, target any) error {
	if !plain(src, d.element, d.size) {
		return d.general.Scan(src, target)
	}
	list := make([]T, (len(src)-headerSize)/(4+d.size))
	d.decode(list, src[headerSize:])
	*target.(*[]T) = list
	return nil
}

// plain reports whether an array has one dimension and no NULL, and is whole. See appendHeader.
func plain(src []byte, element uint32, size int) bool {
	if len(src) < headerSize {
		return false
	}
	word := func(i int) uint32 { return binary.BigEndian.Uint32(src[4*i:]) }
	return word(0) == 1 && word(1) == 0 && word(2) == element && uint64(len(src)-headerSize) == uint64(word(3))*uint64(4+size)
}

func decodeInt32s(list []int32, src []byte) {
	for i := range list {
		list[i] = int32(binary.BigEndian.Uint64(src[8*i:])) // the lower half of size and number
	}
}

func decodeInt64s(list []int64, src []byte) {
	for i := range list {
		list[i] = int64(binary.BigEndian.Uint64(src[12*i+4:]))
	}
}

func decodeFloat64s(list []float64, src []byte) {
	for i := range list {
		list[i] = math.Float64frombits(binary.BigEndian.Uint64(src[12*i+4:]))
	}
}
