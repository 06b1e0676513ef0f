package chunk

import (
	"encoding/binary"
	"math"
)

// Statistics describe the values of a chunk or bucket. First and Last are those at the earliest and latest instant.
type Statistics struct {
	Count                 int64
	Min, Max, First, Last float64
	Sum                   total
}

// Add takes the next values in order of time into account.
func (s *Statistics) Add(values []float64) {
	if len(values) == 0 {
		return
	}
	if s.Count == 0 {
		s.Min, s.Max, s.First = values[0], values[0], values[0]
	}
	least, most := s.Min, s.Max
	for _, v := range values {
		if v < least { // min and max would look for NaN, too, which takes longer than the sum
			least = v
		}
		if v > most {
			most = v
		}
	}
	s.Min, s.Max = least, most
	s.Sum = s.Sum.plus(totalOf(values))
	s.Count += int64(len(values))
	s.Last = values[len(values)-1]
}

// Merge takes the statistics of the values that follow in time into account.
func (s *Statistics) Merge(next Statistics) {
	switch {
	case next.Count == 0:
	case s.Count == 0:
		*s = next
	default:
		s.Count += next.Count
		s.Min, s.Max = min(s.Min, next.Min), max(s.Max, next.Max)
		s.Sum = s.Sum.plus(next.Sum)
		s.Last = next.Last
	}
}

// Mean returns the mean of the values, which is within their extremes. It is finite, also where their sum is not.
func (s *Statistics) Mean() float64 {
	// Chunks of before their sums were compensated have sums that are some digits off.
	return min(max(s.Sum.mean(float64(s.Count)), s.Min), s.Max)
}

// ParseStatistics reads the columns count, min, max, sum, sum_rest, first and last.
func ParseStatistics(raw [][]byte) Statistics {
	float := func(i int) float64 { return math.Float64frombits(binary.BigEndian.Uint64(raw[i])) }
	return Statistics{
		Count: int64(binary.BigEndian.Uint32(raw[0])),
		Min:   float(1), Max: float(2), Sum: total{float(3), float(4)}, First: float(5), Last: float(6),
	}
}
