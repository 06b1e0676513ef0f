package chunk

import "slices"

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
