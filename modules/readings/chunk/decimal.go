package chunk

import "math"

var powersOfTen = [maxExponent + 1]float64{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// scaled returns the integer that is v times a power of ten, or false when dividing it by that power does not give back v, bit for
// bit. For v with few digits it does: both are the float64 nearest to the same decimal number.
func scaled(v float64, exponent int) (n int64, ok bool) {
	product := v * powersOfTen[exponent]
	if !(product >= -maxScaled && product <= maxScaled) { // NaN, too
		return 0, false
	}
	n = int64(math.RoundToEven(product))
	return n, math.Float64bits(float64(n)/powersOfTen[exponent]) == math.Float64bits(v)
}

// exponentOf returns the smallest power of ten, from least on, that makes integers of all values, or false when none does.
func exponentOf(values []float64, least int) (exponent int, ok bool) {
	exponent = least
	for _, v := range values {
		for {
			if _, ok := scaled(v, exponent); ok {
				break
			}
			if exponent++; exponent > maxExponent {
				return 0, false
			}
		}
	}
	return exponent, true
}
