package chunk

import (
	"math"
	"math/bits"
	"slices"
)

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
	values   []float64
	min, max float64
	exponent int  // the smallest that makes integers of all values
	raw      bool // there is none, or another one was chosen
	rawBytes int  // that all of the values' bits are within
}

// survey returns the blocks of the values.
func survey(values []float64) []valueBlock {
	blocks := make([]valueBlock, 0, (len(values)+blockSize-1)/blockSize)
	for part := range slices.Chunk(values, blockSize) {
		b := valueBlock{values: part, min: part[0], max: part[0]}
		all := uint64(0)
		for _, v := range part {
			b.min, b.max = min(b.min, v), max(b.max, v)
			all |= math.Float64bits(v)
		}
		b.rawBytes = 8 - bits.TrailingZeros64(all)/8
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
