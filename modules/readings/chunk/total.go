package chunk

import "math"

// total is a sum of finite float64s, kept to about twice their precision and beyond their range: it is high + low, with high
// the float64 nearest to it; where that is infinite, it is low times 2^64. No sum of less than 2^63 values is beyond that.
type total struct{ High, Low float64 }

// scale is what a sum beyond float64's range is divided by. As a power of two it costs no digit.
const scale = 1 << 64

func isFinite(x float64) bool { return x-x == 0 }

// twoSum returns the sum of a and b, rounded, and what rounding cut off (D. Knuth, The Art of Computer Programming, volume 2,
// section 4.2.2, theorem B). Where the sum is not finite, the rest means nothing.
func twoSum(a, b float64) (sum, rest float64) {
	sum = a + b
	back := sum - a
	return sum, (a - (sum - back)) + (b - back)
}

// totalOf returns the sum of the values.
func totalOf(values []float64) total {
	high, low := 0.0, 0.0
	for _, v := range values {
		var rest float64
		high, rest = twoSum(high, v)
		low += rest
	}
	if isFinite(high) && isFinite(low) {
		return normal(high, low)
	}
	high, low = 0, 0
	for _, v := range values {
		var rest float64
		high, rest = twoSum(high, v/scale)
		low += rest
	}
	return rescaled(high, low)
}

// normal returns high + low, where low is at most about as much as high.
func normal(high, low float64) total {
	sum, rest := twoSum(high, low)
	if !isFinite(sum) {
		return rescaled(high/scale, low/scale)
	}
	return total{sum, rest}
}

// rescaled returns (high + low) times 2^64.
func rescaled(high, low float64) total {
	sum, rest := twoSum(high, low)
	if isFinite(sum * scale) {
		return total{sum * scale, rest * scale}
	}
	return total{math.Inf(int(math.Copysign(1, sum))), sum}
}

// plus returns the sum of both.
func (t total) plus(other total) total {
	high, rest := twoSum(t.High, other.High)
	if isFinite(high) && isFinite(rest) {
		return normal(high, t.Low+other.Low+rest)
	}
	a, b := t.divided(), other.divided()
	high, rest = twoSum(a.High, b.High)
	return rescaled(high, a.Low+b.Low+rest)
}

// divided returns the sum divided by 2^64, which is finite.
func (t total) divided() total {
	if isFinite(t.High) {
		return total{t.High / scale, t.Low / scale}
	}
	return total{High: t.Low}
}

// mean returns the sum divided by a count, rounded once where the sum is finite.
func (t total) mean(count float64) float64 {
	if !isFinite(t.High) {
		return t.Low / count * scale
	}
	mean := t.High / count
	return mean + (math.FMA(-mean, count, t.High)+t.Low)/count
}
