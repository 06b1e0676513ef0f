package chunk

import (
	"math"
	"math/bits"
	"slices"
)

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
