package chunk

import (
	"math"
	"math/bits"
	"slices"
)

// Encode returns the stored form of readings, which takes the least where they are in ascending order of time. Start (Unix ms) is
// what their instants are stored relative to.
func Encode(start int64, points Points) []byte {
	return assemble(points.Len(), encodeTimes(start, points.TS), encodeValues(points.Value))
}

// EncodeIDs returns the stored form of a list of series: that of a chunk whose values are their ids.
func EncodeIDs(ids []int32) []byte {
	values := encodedValues{column: newColumn(len(ids))}
	if len(ids) > 0 {
		values.least = int64(slices.Min(ids))
	}
	var numbers [blockSize]uint64
	for block := range slices.Chunk(ids, blockSize) {
		for i, id := range block {
			numbers[i] = uint64(int64(id) - values.least)
		}
		values.add(numbers[:len(block)])
	}
	return assemble(len(ids), encodedTimes{}, values)
}

// assemble puts the parts of the stored form together.
func assemble(count int, times encodedTimes, values encodedValues) []byte {
	h := header{
		exponent: values.exponent, timeBase: times.baseSize, valueBase: values.baseSize,
		count: count, line: times.line, least: values.least,
	}
	size := h.dataAt() + padding
	for i := range h.blocks() {
		size += len(times.block(i)) + len(values.block(i))
	}
	data := h.append(make([]byte, 0, size))
	for i := range h.blocks() {
		e := entry{valueBase: values.bases[i], valueWidth: values.widths[i]}
		if h.timeBase > 0 {
			e.timeBase, e.timeWidth = times.bases[i], times.widths[i]
		}
		data = h.appendEntry(data, e)
	}
	for i := range h.blocks() {
		data = append(append(data, times.block(i)...), values.block(i)...)
	}
	return append(data, make([]byte, padding)...)
}

// column is what a chunk's times or values are packed into: for each block the number that its numbers are relative to, their width,
// and where in packed they end.
type column struct {
	bases    []uint64
	widths   []byte
	ends     []int
	packed   []byte
	baseSize int
}

func newColumn(n int) column {
	blocks := (n + blockSize - 1) / blockSize
	return column{bases: make([]uint64, 0, blocks), widths: make([]byte, 0, blocks), ends: make([]int, 0, blocks)}
}

// block returns the packed numbers of the i-th block.
func (c column) block(i int) []byte {
	if len(c.ends) == 0 {
		return nil
	}
	from := 0
	if i > 0 {
		from = c.ends[i-1]
	}
	return c.packed[from:c.ends[i]]
}

// add packs a block of numbers, relative to the least of them.
func (c *column) add(numbers []uint64) {
	base, most := slices.Min(numbers), slices.Max(numbers)
	for i := range numbers {
		numbers[i] -= base
	}
	width := widthOf(most - base)
	c.put(base, width, pack(c.packed, numbers, width))
}

// put notes a block, which is at the end of packed.
func (c *column) put(base uint64, width byte, packed []byte) {
	c.bases, c.widths = append(c.bases, base), append(c.widths, width)
	c.packed, c.ends = packed, append(c.ends, len(packed))
	c.baseSize = max(c.baseSize, bytesFor(base))
}

// encodedTimes are a line, and how much later than it each instant is; nothing where none is.
type encodedTimes struct {
	column
	line line
}

func encodeTimes(start int64, ts []int64) (e encodedTimes) {
	if len(ts) == 0 {
		return e
	}
	e.line = bestLine(start, ts)
	if deviation(ts, start, e.line) == 0 {
		return e
	}
	e.column = newColumn(len(ts))
	var numbers [blockSize]uint64
	n := 0
	for block := range slices.Chunk(ts, blockSize) {
		for i, t := range block {
			numbers[i] = uint64(t - start - e.line.at(n))
			n++
		}
		e.add(numbers[:len(block)])
	}
	e.baseSize = max(e.baseSize, 1) // 0 stands for no times at all
	return e
}

func (l line) at(i int) int64 { return l.origin + int64(i)*l.step }

// bestLine returns the line, below all instants, from which they deviate in the fewest bits: by their mean distance, or by that of
// most of them.
func bestLine(start int64, ts []int64) (best line) {
	least := -1
	for _, step := range [...]int64{usualStep(ts), meanStep(ts)} {
		step = min(max(step, 0), math.MaxUint32) // instants may descend, and be far apart, in a batch
		l := line{origin: math.MaxInt64, step: step}
		for i, t := range ts {
			l.origin = min(l.origin, t-start-int64(i)*step)
		}
		cost := deviation(ts, start, l)
		if least < 0 || cost < least {
			best, least = l, cost
		}
		if cost == 0 {
			break
		}
	}
	return best
}

// deviation returns how many bits the distances of the instants from a line take, about; 0 when there are none.
func deviation(ts []int64, start int64, l line) (size int) {
	n := 0
	for block := range slices.Chunk(ts, blockSize) {
		least, most := int64(math.MaxInt64), int64(0)
		for _, t := range block {
			d := t - start - l.at(n)
			least, most = min(least, d), max(most, d)
			n++
		}
		size += len(block)*int(widthOf(uint64(most-least))) + bits.Len64(uint64(least))
	}
	return size
}

// usualStep returns the median of up to 64 distances.
func usualStep(ts []int64) int64 {
	var sample []int64
	for i := 1; i < len(ts); i += max(1, len(ts)/blockSize) {
		sample = append(sample, ts[i]-ts[i-1])
	}
	if len(sample) == 0 {
		return 0
	}
	slices.Sort(sample)
	return sample[len(sample)/2]
}

func meanStep(ts []int64) int64 {
	if len(ts) < 2 {
		return 0
	}
	n := int64(len(ts) - 1)
	return (ts[n] - ts[0] + n/2) / n
}

// encodedValues are values scaled by a power of ten, relative to the least of all; those of raw blocks are floats.
type encodedValues struct {
	column
	exponent int
	least    int64
}

func encodeValues(values []float64) encodedValues {
	e := encodedValues{column: newColumn(len(values))}
	blocks := survey(values)
	e.exponent = bestExponent(blocks)
	integers := make([]int64, len(values))
	e.least = math.MaxInt64
	for i := range blocks {
		b := &blocks[i]
		from := i * blockSize
		if b.scale(integers[from:][:len(b.values)], e.exponent) {
			e.least = min(e.least, slices.Min(integers[from:][:len(b.values)]))
		}
	}
	var numbers [blockSize]uint64
	for i, b := range blocks {
		if b.raw {
			e.put(0, rawBlock+byte(b.rawBytes), appendRaw(e.packed, b.values, b.rawBytes))
			continue
		}
		for k, n := range integers[i*blockSize:][:len(b.values)] {
			numbers[k] = uint64(n - e.least)
		}
		e.add(numbers[:len(b.values)])
	}
	if e.least == math.MaxInt64 {
		e.least = 0
	}
	return e
}

// valueBlock is a block of values, and how it can be stored.
type valueBlock struct {
	values     []float64
	min, max   float64
	exponent   int  // the smallest that makes integers of all values
	raw        bool // there is none, or another one was chosen
	rawBytes   int  // that all of the values' bits are within
	rawBitsAll uint64
}

// survey returns the blocks of the values.
func survey(values []float64) []valueBlock {
	blocks := make([]valueBlock, 0, (len(values)+blockSize-1)/blockSize)
	for part := range slices.Chunk(values, blockSize) {
		b := valueBlock{values: part, min: part[0], max: part[0]}
		for _, v := range part {
			b.min, b.max = min(b.min, v), max(b.max, v)
			b.rawBitsAll |= math.Float64bits(v)
		}
		b.rawBytes = 8 - bits.TrailingZeros64(b.rawBitsAll)/8
		var ok bool
		b.exponent, ok = exponentOf(part, 0)
		b.raw = !ok
		blocks = append(blocks, b)
	}
	return blocks
}

// bestExponent returns the exponent with which the blocks take the fewest bytes, about.
func bestExponent(blocks []valueBlock) (best int) {
	var tried [maxExponent + 1]bool
	least := math.MaxInt
	for _, b := range blocks {
		if b.raw || tried[b.exponent] {
			continue
		}
		tried[b.exponent] = true
		size := 0
		for i := range blocks {
			size += blocks[i].sizeWith(b.exponent)
		}
		if size < least {
			best, least = b.exponent, size
		}
	}
	return best
}

// sizeWith returns how many bytes the block takes when the chunk has the exponent, about.
func (b *valueBlock) sizeWith(exponent int) int {
	width := 8 * b.rawBytes
	if !b.raw && b.exponent <= exponent {
		if spread := (b.max - b.min) * powersOfTen[exponent]; spread < maxScaled {
			width = int(widthOf(uint64(spread)))
		}
	}
	return (len(b.values)*width + 7) / 8
}

// scale writes the scaled values, or makes the block raw when one cannot be scaled.
func (b *valueBlock) scale(dst []int64, exponent int) bool {
	b.raw = b.raw || b.exponent > exponent
	for i, v := range b.values {
		if b.raw {
			return false
		}
		n, ok := scaled(v, exponent)
		dst[i], b.raw = n, !ok
	}
	return !b.raw
}

// appendRaw appends the highest bytes of each float, the highest first.
func appendRaw(dst []byte, values []float64, size int) []byte {
	for _, v := range values {
		dst = appendBigEndian(dst, math.Float64bits(v)>>(8*(8-size)), size)
	}
	return dst
}
