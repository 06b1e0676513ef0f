package render

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
	"strconv"
)

// AppendFloat appends v as the shortest decimal that reads back as v, in the form of encoding/json: as an integer or with a
// point between 1e-6 and 1e21, else with an exponent. JSON has no word for what is not finite: it becomes null.
func AppendFloat(dst []byte, v float64) []byte {
	dst = slices.Grow(dst, widest)
	return dst[:putFloat(dst[:cap(dst)], len(dst), v)]
}

// putFloat writes v at b[n:], which has room for widest bytes, and returns the position after it.
//
// Measured values have few decimals. Times 10^4 such a value is close to an integer m; if m/10^4, which IEEE 754 rounds
// correctly, is v again, then m/10^4 without its trailing zeros is the answer: decimals of up to 15 digits are distinct as
// float64, so none that is shorter reads back as v.
func putFloat(b []byte, n int, v float64) int {
	a := math.Abs(v)
	if a < 1e4 {
		m := int64(a*1e4 + 0.5)
		if float64(m)/1e4 == a {
			d := digits8(uint32(m)) // below 1e8
			b[n] = '-'
			n += int(math.Float64bits(v) >> 63)  // the sign
			n = putTrimmedLeft4(b, n, uint32(d)) // the upper four digits
			return putFraction4(b, n, uint32(d>>32))
		}
	}
	return putLongFloat(b, n, v)
}

// putTrimmedLeft4 writes four digits without leading zeros, the last one in any case.
func putTrimmedLeft4(b []byte, n int, digits uint32) int {
	zeros := bits.TrailingZeros32(digits&0x0f0f0f0f|1<<28) >> 3
	binary.LittleEndian.PutUint32(b[n:], digits>>(8*zeros&31))
	return n + 4 - zeros
}

// putFraction4 writes the decimal point and four digits without trailing zeros, or nothing if all are.
func putFraction4(b []byte, n int, digits uint32) int {
	some := 4 - bits.LeadingZeros32(digits&0x0f0f0f0f)>>3
	b[n] = '.'
	binary.LittleEndian.PutUint32(b[n+1:], digits)
	return n + some + (some+3)>>2
}

// putLongFloat writes what has more than four decimals or digits before them: the same method with eight decimals, and
// strconv for the rest.
func putLongFloat(b []byte, n int, v float64) int {
	a := math.Abs(v)
	switch {
	case a >= 1e-6 && a < 1e7:
		if m := int64(a*1e8 + 0.5); float64(m)/1e8 == a {
			return putDecimal8(b, n, math.Signbit(v), uint64(m)) // not negative
		}
	case a >= 1e7 && a < 1e15:
		if m := int64(v); float64(m) == v {
			return len(strconv.AppendInt(b[:n], m, 10))
		}
	case math.IsNaN(v) || math.IsInf(v, 0):
		return n + copy(b[n:], "null")
	}
	if a < 1e-6 || a >= 1e21 { // zero does not come here
		return putExponent(b, n, v)
	}
	return len(strconv.AppendFloat(b[:n], v, 'f', -1, 64))
}

// putDecimal8 writes m/10^8, for m below 10^15.
func putDecimal8(b []byte, n int, negative bool, m uint64) int {
	if negative {
		b[n] = '-'
		n++
	}
	whole, fraction := digits8(uint32(m/1e8)), digits8(uint32(m%1e8)) // both below 1e8
	zeros := bits.TrailingZeros64(whole&(0x0f*ones)|1<<60) >> 3
	binary.LittleEndian.PutUint64(b[n:], whole>>(8*zeros&63))
	n += 8 - zeros
	some := 8 - bits.LeadingZeros64(fraction&(0x0f*ones))>>3
	b[n] = '.'
	binary.LittleEndian.PutUint64(b[n+1:], fraction)
	return n + some + (some+7)>>3
}

// putExponent writes v with an exponent, which strconv gives two digits and encoding/json as few as possible.
func putExponent(b []byte, n int, v float64) int {
	n = len(strconv.AppendFloat(b[:n], v, 'e', -1, 64))
	if b[n-4] == 'e' && b[n-3] == '-' && b[n-2] == '0' {
		b[n-2] = b[n-1]
		n--
	}
	return n
}

const ones = 0x0101010101010101

// digits8 returns the eight decimal digits of v, which is below 10^8, as ASCII, the first in the lowest byte. It halves
// the number three times, all parts of it at once (after P. Khuong, "How to print integers really fast").
func digits8(v uint32) uint64 {
	x := uint64(v/10_000) | uint64(v%10_000)<<32
	q := x * 10_486 >> 20 & 0x0000_007f_0000_007f // x/100 in each half
	x = q | (x-100*q)<<16
	q = x * 103 >> 10 & 0x000f_000f_000f_000f // x/10 in each quarter
	x = q | (x-10*q)<<8
	return x | '0'*ones
}
