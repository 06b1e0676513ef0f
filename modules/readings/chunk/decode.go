package chunk

import (
	"fmt"
	"math"
	"slices"
)

// Decode appends to dst the points in [from, to) (Unix ms) of a stored chunk that begins at start, and perhaps some around them:
// those of the blocks that these points are in. It does not keep data.
func Decode(dst Points, start int64, data []byte, from, to int64) (Points, error) {
	h, err := parseHeader(data)
	if err != nil {
		return dst, err
	}
	d := decoder{header: h, data: data, start: start + h.line.origin}
	dst.TS, dst.Value = slices.Grow(dst.TS, h.count), slices.Grow(dst.Value, h.count)
	at := h.dataAt()
	for i := range h.blocks() {
		e, n := h.entry(data, i), min(blockSize, h.count-i*blockSize)
		times, values, ok := e.size(n)
		if !ok || at+times+values+padding > len(data) {
			return dst, fmt.Errorf("%w: block %d of widths %d and %d", ErrMalformed, i, e.timeWidth, e.valueWidth)
		}
		if first := d.first(i, e, at); first >= to {
			return dst, nil
		}
		if i+1 == h.blocks() || d.after(i, at+times+values, from) {
			dst = d.block(dst, i, n, e, at, times)
		}
		at += times + values
	}
	if at+padding != len(data) {
		return dst, fmt.Errorf("%w: %d bytes where %d were due", ErrMalformed, len(data), at+padding)
	}
	return dst, nil
}

// DecodeIDs appends to dst what EncodeIDs returned.
func DecodeIDs(dst []int32, data []byte) ([]int32, error) {
	p, err := Decode(Points{}, 0, data, math.MinInt64, math.MaxInt64)
	if err != nil {
		return dst, err
	}
	dst = slices.Grow(dst, p.Len())
	for _, v := range p.Value {
		dst = append(dst, int32(v))
	}
	return dst, nil
}

// decoder reads the blocks of a chunk.
type decoder struct {
	header
	data    []byte
	start   int64 // Unix ms, where the line begins
	numbers [blockSize]uint64
}

// first returns the first instant of the i-th block, whose packed numbers begin at an offset.
func (d *decoder) first(i int, e entry, at int) int64 {
	ts := d.start + int64(i)*blockSize*d.line.step
	if d.timeBase == 0 {
		return ts
	}
	unpack(d.numbers[:1], d.data[at:], e.timeWidth)
	return ts + int64(e.timeBase+d.numbers[0])
}

// after reports whether the block after the i-th begins after ts, so that the i-th may hold readings from then on. Next is where its
// packed numbers begin.
func (d *decoder) after(i, next int, ts int64) bool {
	e := d.entry(d.data, i+1)
	if size, ok := packedSize(1, e.timeWidth); !ok || next+size+padding > len(d.data) {
		return true // the block after it is malformed, which is found next
	}
	return d.first(i+1, e, next) > ts
}

// block appends the n points of the i-th block, whose times begin at an offset and take a number of bytes.
func (d *decoder) block(dst Points, i, n int, e entry, at, times int) Points {
	have := len(dst.TS)
	dst.TS, dst.Value = dst.TS[:have+n], dst.Value[:have+n]
	ts := d.start + int64(i)*blockSize*d.line.step
	instants := dst.TS[have:]
	if d.timeBase == 0 {
		for k := range instants {
			instants[k] = ts
			ts += d.line.step
		}
	} else {
		numbers := d.numbers[:n]
		unpack(numbers, d.data[at:], e.timeWidth)
		ts += int64(e.timeBase)
		for k := range instants {
			instants[k] = ts + int64(numbers[k])
			ts += d.line.step
		}
	}
	d.values(dst.Value[have:], e, d.data[at+times:])
	return dst
}

// values reads the values of a block.
func (d *decoder) values(dst []float64, e entry, data []byte) {
	if e.valueWidth >= rawBlock {
		size := int(e.valueWidth - rawBlock)
		for i := range dst {
			dst[i] = math.Float64frombits(bigEndian(data[i*size:][:size]) << (8 * (8 - size)))
		}
		return
	}
	numbers := d.numbers[:len(dst)]
	unpack(numbers, data, e.valueWidth)
	base := d.least + int64(e.valueBase)
	if d.exponent == 0 {
		for i, n := range numbers {
			dst[i] = float64(base + int64(n))
		}
		return
	}
	power := powersOfTen[d.exponent]
	for i, n := range numbers {
		dst[i] = float64(base+int64(n)) / power
	}
}
