package chunk

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// The stored form of a chunk's readings, as FORMAT.md beside this file specifies it.
const (
	formatVersion = 1
	headerSize    = 28
	blockSize     = 64 // readings of a block; the last one may have fewer
	// padding is how many zero bytes end a chunk, so that four bytes can be read at every packed number's first one.
	padding = 3
	// rawBlock is a width that says that values are stored as floats; less it, it is in how many bytes.
	rawBlock = 0x80
	// maxExponent is the largest power of ten that values are scaled by. It is exact as a float64.
	maxExponent = 15
	// maxScaled is the largest scaled value: every integer up to it is a float64.
	maxScaled = 1 << 53
)

// ErrMalformed says that a stored chunk is not in the form that Encode gives it.
var ErrMalformed = errors.New("chunk is malformed")

// header begins a chunk.
type header struct {
	exponent  int
	timeBase  int // bytes of a block's base of times; 0 when the times are exactly those of the line
	valueBase int // bytes of a block's base of values
	count     int
	line      line
	least     int64 // which scaled values are stored relative to
}

// line is the times of evenly spaced readings: the i-th is at origin + i*step. Origin is relative to the chunk's start.
type line struct{ origin, step int64 }

func (h header) blocks() int { return (h.count + blockSize - 1) / blockSize }

// entrySize returns how many bytes the directory has for a block.
func (h header) entrySize() int {
	size := h.valueBase + 1
	if h.timeBase > 0 {
		size += h.timeBase + 1
	}
	return size
}

// dataAt returns where the packed numbers begin.
func (h header) dataAt() int { return headerSize + h.blocks()*h.entrySize() }

func (h header) append(dst []byte) []byte {
	dst = append(dst, formatVersion, byte(h.exponent), byte(h.timeBase), byte(h.valueBase))
	dst = binary.BigEndian.AppendUint32(dst, uint32(h.count))
	dst = binary.BigEndian.AppendUint64(dst, uint64(h.line.origin))
	dst = binary.BigEndian.AppendUint32(dst, uint32(h.line.step))
	return binary.BigEndian.AppendUint64(dst, uint64(h.least))
}

func parseHeader(data []byte) (h header, err error) {
	if len(data) < headerSize+padding {
		return h, fmt.Errorf("%w: %d bytes", ErrMalformed, len(data))
	}
	if data[0] != formatVersion {
		return h, fmt.Errorf("%w: format version %d, this program knows %d", ErrMalformed, data[0], formatVersion)
	}
	h = header{
		exponent: int(data[1]), timeBase: int(data[2]), valueBase: int(data[3]),
		count: int(binary.BigEndian.Uint32(data[4:])),
		line:  line{int64(binary.BigEndian.Uint64(data[8:])), int64(binary.BigEndian.Uint32(data[16:]))},
		least: int64(binary.BigEndian.Uint64(data[20:])),
	}
	if h.exponent > maxExponent || h.timeBase > 8 || h.valueBase > 8 || h.dataAt()+padding > len(data) {
		return h, fmt.Errorf("%w: %d readings in %d bytes", ErrMalformed, h.count, len(data))
	}
	return h, nil
}

// entry is what the directory says of a block.
type entry struct {
	timeBase, valueBase   uint64
	timeWidth, valueWidth byte
}

// entry returns the i-th block's entry.
func (h header) entry(data []byte, i int) (e entry) {
	at := data[headerSize+i*h.entrySize():]
	if h.timeBase > 0 {
		e.timeBase, e.timeWidth = bigEndian(at[:h.timeBase]), at[h.timeBase]
		at = at[h.timeBase+1:]
	}
	e.valueBase, e.valueWidth = bigEndian(at[:h.valueBase]), at[h.valueBase]
	return e
}

func (h header) appendEntry(dst []byte, e entry) []byte {
	if h.timeBase > 0 {
		dst = append(appendBigEndian(dst, e.timeBase, h.timeBase), e.timeWidth)
	}
	return append(appendBigEndian(dst, e.valueBase, h.valueBase), e.valueWidth)
}

// size returns how many bytes a block of n readings has of packed numbers, or false when a width is none.
func (e entry) size(n int) (times, values int, ok bool) {
	times, ok = packedSize(n, e.timeWidth)
	if !ok {
		return 0, 0, false
	}
	if e.valueWidth >= rawBlock {
		bytes := int(e.valueWidth - rawBlock)
		return times, n * bytes, bytes <= 8
	}
	values, ok = packedSize(n, e.valueWidth)
	return times, values, ok
}
