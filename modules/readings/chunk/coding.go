package chunk

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
)

// EncodeDeltas returns the instants of a chunk as stored: the first one's offset from start, then the distance of each
// from the one before, in ms; repetitions of the last element are left off.
func EncodeDeltas(start int64, ts []int64) []int32 {
	deltas := make([]int32, len(ts))
	for i, t := range ts {
		deltas[i] = int32(t - start)
		start = t
	}
	n := len(deltas)
	for n > 2 && deltas[n-1] == deltas[n-2] {
		n--
	}
	return deltas[:n]
}

// Gaping reports whether a distance between instants, or the first one's from start, is more than a delta can hold: 24 days.
func Gaping(start int64, ts []int64) bool {
	for _, t := range ts {
		if t-start > math.MaxInt32 {
			return true
		}
		start = t
	}
	return false
}

// ErrMalformed says that a stored chunk is not in the form that EncodeDeltas and PostgreSQL give it.
var ErrMalformed = errors.New("chunk is malformed")

// Decode appends the points of a stored chunk to dst. deltas and value are PostgreSQL's binary form of int4[] and
// float8[]: number of dimensions, null flag, element type, then for each dimension length and lower bound, then for each
// element its size and bytes, all big endian (array_send in src/backend/utils/adt/arrayfuncs.c).
func Decode(dst Points, start int64, deltas, value []byte) (Points, error) {
	deltaCount, deltas, err := arrayElements(deltas, 4)
	if err != nil {
		return dst, err
	}
	count, value, err := arrayElements(value, 8)
	if err != nil {
		return dst, err
	}
	if deltaCount > count || deltaCount == 0 && count > 0 {
		return dst, fmt.Errorf("%w: %d deltas for %d values", ErrMalformed, deltaCount, count)
	}
	n := len(dst.TS)
	dst.TS, dst.Value = slices.Grow(dst.TS, count)[:n+count], slices.Grow(dst.Value, count)[:n+count]
	instants, values := dst.TS[n:], dst.Value[n:]
	ts, step := start, int64(0)
	for i := range deltaCount {
		step = int64(int32(binary.BigEndian.Uint32(deltas[i*8+4:])))
		ts += step
		instants[i] = ts
	}
	for i := deltaCount; i < count; i++ {
		ts += step
		instants[i] = ts
	}
	for i := range values {
		values[i] = math.Float64frombits(binary.BigEndian.Uint64(value[i*12+4:]))
	}
	return dst, nil
}

// arrayElements returns the elements of a one-dimensional array without NULLs, whose elements have the size given, each
// behind its four bytes of length.
func arrayElements(raw []byte, size int) (count int, elements []byte, err error) {
	const header = 12
	if len(raw) < header {
		return 0, nil, fmt.Errorf("%w: array of %d bytes", ErrMalformed, len(raw))
	}
	dimensions, nulls := binary.BigEndian.Uint32(raw), binary.BigEndian.Uint32(raw[4:])
	if dimensions == 0 {
		return 0, nil, nil
	}
	if dimensions != 1 || nulls != 0 || len(raw) < header+8 {
		return 0, nil, fmt.Errorf("%w: array of %d dimensions, null flag %d", ErrMalformed, dimensions, nulls)
	}
	count = int(binary.BigEndian.Uint32(raw[header:]))
	elements = raw[header+8:]
	if len(elements) != count*(size+4) {
		return 0, nil, fmt.Errorf("%w: %d bytes for %d elements", ErrMalformed, len(elements), count)
	}
	return count, elements, nil
}

// ParseTimestamp reads a timestamptz, microseconds since 2000, as Unix milliseconds.
func ParseTimestamp(raw []byte) int64 {
	const epoch = 946_684_800_000
	return int64(binary.BigEndian.Uint64(raw))/1000 + epoch
}
