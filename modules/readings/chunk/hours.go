package chunk

import (
	"fmt"
	"math"
)

// partsOfHour is how many numbers the statistics of an hour are.
const partsOfHour = 7

// hourlyFrom is from how many readings an hour on, in the mean, the row of a day has the statistics of its hours. With fewer, opening
// the day costs less than their bytes.
const hourlyFrom = 16

// EncodeHours returns the statistics of the hours of a day that begins at start (Unix ms); nil where opening the day costs less.
// The form is that of a chunk whose values are the statistics: the counts of all hours, then their minima, maxima, first and
// last values, sums and rests.
func EncodeHours(start int64, points Points) []byte {
	const hours = Day / Hour
	if points.Len() < hours*hourlyFrom {
		return nil
	}
	var parts [partsOfHour * hours]float64
	for i := range hours {
		var s Statistics
		s.Add(points.Slice(start+int64(i)*Hour, start+int64(i+1)*Hour).Value)
		for k, v := range [partsOfHour]float64{float64(s.Count), s.Min, s.Max, s.First, s.Last, s.Sum.High, s.Sum.Low} {
			parts[k*hours+i] = v
		}
	}
	return Encode(0, Points{TS: make([]int64, len(parts)), Value: parts[:]})
}

// Hours are the statistics of consecutive hours. Those without readings have the count 0.
type Hours []Statistics

// DecodeHours appends to dst what EncodeHours returned. It uses memory for what it reads.
func DecodeHours(dst Hours, memory *Points, data []byte) (Hours, error) {
	p, err := Decode(Points{TS: memory.TS[:0], Value: memory.Value[:0]}, 0, data, math.MinInt64, math.MaxInt64)
	if err != nil {
		return dst, err
	}
	*memory = p
	n := p.Len() / partsOfHour
	if n*partsOfHour != p.Len() {
		return dst, fmt.Errorf("%w: statistics of %d numbers", ErrMalformed, p.Len())
	}
	for i := range n {
		part := func(k int) float64 { return p.Value[k*n+i] }
		dst = append(dst, Statistics{
			Count: int64(part(0)), Min: part(1), Max: part(2), First: part(3), Last: part(4), Sum: total{part(5), part(6)},
		})
	}
	return dst, nil
}
