package readings

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
)

// ChunkSpan is the span of a chunk in milliseconds: an hour. Chunks start at its multiples since the epoch.
const ChunkSpan int64 = 3_600_000

// chunkStart returns the start of the chunk that holds ts.
func chunkStart(ts int64) int64 { return floorTo(ts, ChunkSpan) }

// floorTo returns the largest multiple of step that is not above ts, also before the epoch.
func floorTo(ts, step int64) int64 {
	rest := ts % step
	if rest < 0 {
		rest += step
	}
	return ts - rest
}

// Summary describes the values of a chunk or bucket. First and Last are those at the earliest and latest instant.
type Summary struct {
	Count                      int64
	Min, Max, Sum, First, Last float64
}

// add takes the next values in order of time into account.
func (s *Summary) add(values []float64) {
	if len(values) == 0 {
		return
	}
	if s.Count == 0 {
		s.Min, s.Max, s.First = values[0], values[0], values[0]
	}
	for _, v := range values {
		s.Min, s.Max = min(s.Min, v), max(s.Max, v)
		s.Sum += v
	}
	s.Count += int64(len(values))
	s.Last = values[len(values)-1]
}

// merge takes the summary of the values that follow in time into account.
func (s *Summary) merge(next Summary) {
	switch {
	case next.Count == 0:
	case s.Count == 0:
		*s = next
	default:
		s.Count += next.Count
		s.Min, s.Max = min(s.Min, next.Min), max(s.Max, next.Max)
		s.Sum += next.Sum
		s.Last = next.Last
	}
}

// encodeDeltas returns the instants of a chunk as stored: the first one's offset from start, then the distance of each
// from the one before, in ms; repetitions of the last element are left off.
func encodeDeltas(start int64, ts []int64) []int32 {
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

var errChunk = errors.New("chunk is malformed")

// appendChunk appends the points of a stored chunk to dst. deltas and value are PostgreSQL's binary form of int4[] and
// float8[]: number of dimensions, null flag, element type, then for each dimension length and lower bound, then for each
// element its size and bytes, all big endian (array_send in src/backend/utils/adt/arrayfuncs.c).
func appendChunk(dst Points, start int64, deltas, value []byte) (Points, error) {
	deltaCount, deltas, err := arrayElements(deltas, 4)
	if err != nil {
		return dst, err
	}
	count, value, err := arrayElements(value, 8)
	if err != nil {
		return dst, err
	}
	if deltaCount > count || deltaCount == 0 && count > 0 {
		return dst, fmt.Errorf("%w: %d deltas for %d values", errChunk, deltaCount, count)
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
		return 0, nil, fmt.Errorf("%w: array of %d bytes", errChunk, len(raw))
	}
	dimensions, nulls := binary.BigEndian.Uint32(raw), binary.BigEndian.Uint32(raw[4:])
	if dimensions == 0 {
		return 0, nil, nil
	}
	if dimensions != 1 || nulls != 0 || len(raw) < header+8 {
		return 0, nil, fmt.Errorf("%w: array of %d dimensions, null flag %d", errChunk, dimensions, nulls)
	}
	count = int(binary.BigEndian.Uint32(raw[header:]))
	elements = raw[header+8:]
	if len(elements) != count*(size+4) {
		return 0, nil, fmt.Errorf("%w: %d bytes for %d elements", errChunk, len(elements), count)
	}
	return count, elements, nil
}
