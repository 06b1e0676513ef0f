package chunk

import (
	"encoding/binary"
	"math/bits"
)

// Packed numbers are unsigned, of a width that a block has: up to 16 any number of bits, the first number in the lowest bits of the
// first byte; above, whole bytes, the lowest first. So SQL reads any number by itself with get_byte.

// widest is the largest width that is not of whole bytes.
const widest = 16

// widthOf returns the width that numbers up to most are packed in.
func widthOf(most uint64) byte {
	width := bits.Len64(most)
	if width > widest {
		width = (width + 7) / 8 * 8
	}
	return byte(width)
}

// packedSize returns how many bytes n numbers of a width take, or false when there is no such width.
func packedSize(n int, width byte) (size int, ok bool) {
	if width > 56 || width > widest && width%8 != 0 {
		return 0, false
	}
	return (n*int(width) + 7) / 8, true
}

// bytesFor returns how many bytes hold numbers up to most.
func bytesFor(most uint64) int { return (bits.Len64(most) + 7) / 8 }

// pack appends the numbers, each less than 2^width.
func pack(dst []byte, numbers []uint64, width byte) []byte {
	if width > widest {
		for _, n := range numbers {
			for range width / 8 {
				dst = append(dst, byte(n))
				n >>= 8
			}
		}
		return dst
	}
	held, holds := uint64(0), byte(0)
	for _, n := range numbers {
		held |= n << holds
		for holds += width; holds >= 8; holds -= 8 {
			dst = append(dst, byte(held))
			held >>= 8
		}
	}
	if holds > 0 {
		dst = append(dst, byte(held))
	}
	return dst
}

// unpack reads as many numbers as dst has room for. At least padding bytes follow those that they are packed in.
func unpack(dst []uint64, data []byte, width byte) {
	switch {
	case width == 0:
		clear(dst)
	case width <= widest:
		mask, bit := uint32(1)<<width-1, uint(0)
		for i := range dst {
			dst[i] = uint64(binary.LittleEndian.Uint32(data[bit>>3:]) >> (bit & 7) & mask)
			bit += uint(width)
		}
	default:
		size := int(width / 8)
		for i := range dst {
			dst[i] = littleEndian(data[i*size:][:size])
		}
	}
}

func littleEndian(b []byte) (n uint64) {
	for i := len(b) - 1; i >= 0; i-- {
		n = n<<8 | uint64(b[i])
	}
	return n
}

func bigEndian(b []byte) (n uint64) {
	for _, c := range b {
		n = n<<8 | uint64(c)
	}
	return n
}

func appendBigEndian(dst []byte, n uint64, size int) []byte {
	for size--; size >= 0; size-- {
		dst = append(dst, byte(n>>(8*size)))
	}
	return dst
}
