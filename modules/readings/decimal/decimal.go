// Package decimal parses decimal numbers from bytes, with the grammar of JSON (RFC 8259) and the values of strconv.ParseFloat.
//
// Nearly every number of a sensor takes the fast path, which allocates nothing. The package knows no units, booleans or nulls.
package decimal

import (
	"strconv"
)

func isDigit(c byte) bool { return c-'0' <= 9 }

var pow10 = [...]float64{
	1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21,
	1e22,
}

// Parse reads the number that begins at i: the nearest float64, infinite if the number is too large for one. next is
// the position after it, or, if there is none (not ok), the position where a digit is missing.
//
// Clinger's fast path serves nearly all: an integer and a power of ten that are both exact in a float64 make the quotient
// or product the correctly rounded result.
func Parse(data []byte, i int) (v float64, next int, ok bool) {
	start := i
	negative := i < len(data) && data[i] == '-'
	if negative {
		i++
	}
	var mantissa uint64
	first := i
	for i < len(data) && isDigit(data[i]) {
		mantissa = mantissa*10 + uint64(data[i]-'0')
		i++
	}
	digits := i - first
	switch {
	case digits == 0:
		return 0, i, false
	case digits > 1 && data[first] == '0':
		return 0, first + 1, false
	}
	exponent := 0
	if i < len(data) && data[i] == '.' {
		i++
		first = i
		for i < len(data) && isDigit(data[i]) {
			mantissa = mantissa*10 + uint64(data[i]-'0')
			i++
		}
		if i == first {
			return 0, i, false
		}
		digits += i - first
		exponent = first - i
	}
	if i < len(data) && data[i]|0x20 == 'e' {
		var e int
		if e, i, ok = exponentPart(data, i+1); !ok {
			return 0, i, false
		}
		exponent += e
	}
	// Up to 19 digits the mantissa has not overflowed.
	if digits > 19 || mantissa > 1<<53 || exponent < -22 || exponent > 22 {
		v, _ = strconv.ParseFloat(string(data[start:i]), 64)
		return v, i, true
	}
	v = float64(mantissa)
	if exponent < 0 {
		v /= pow10[-exponent]
	} else {
		v *= pow10[exponent]
	}
	if negative {
		v = -v
	}
	return v, i, true
}

// exponentPart reads the exponent at i, after the e.
func exponentPart(data []byte, i int) (e, next int, ok bool) {
	negative := i < len(data) && data[i] == '-'
	if negative || (i < len(data) && data[i] == '+') {
		i++
	}
	first := i
	for i < len(data) && isDigit(data[i]) {
		if e < 1e6 { // enough to be out of range, and no overflow
			e = e*10 + int(data[i]-'0')
		}
		i++
	}
	if negative {
		e = -e
	}
	return e, i, i > first
}
