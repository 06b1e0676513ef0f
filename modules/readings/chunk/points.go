package chunk

import (
	"cmp"
	"slices"
)

// Points are readings of one series: parallel slices, in ascending order of time with one value an instant, unless said
// otherwise. TS is in Unix milliseconds.
type Points struct {
	TS    []int64
	Value []float64
}

// Len returns the number of points.
func (p Points) Len() int { return len(p.TS) }

// Slice returns the points with ts in [from, to), sharing memory.
func (p Points) Slice(from, to int64) Points {
	i, _ := slices.BinarySearch(p.TS, from)
	j, _ := slices.BinarySearch(p.TS, to)
	return Points{p.TS[i:max(i, j)], p.Value[i:max(i, j)]}
}

// SortedLastWins returns the points in order of time; of those at the same instant the last one stays.
func (p Points) SortedLastWins() Points {
	order := make([]int32, len(p.TS))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int {
		return cmp.Or(cmp.Compare(p.TS[a], p.TS[b]), cmp.Compare(a, b))
	})
	sorted := Points{make([]int64, 0, len(order)), make([]float64, 0, len(order))}
	for _, i := range order {
		if n := len(sorted.TS); n > 0 && sorted.TS[n-1] == p.TS[i] {
			sorted.Value[n-1] = p.Value[i]
			continue
		}
		sorted.TS, sorted.Value = append(sorted.TS, p.TS[i]), append(sorted.Value, p.Value[i])
	}
	return sorted
}

// Merge appends older and newer to dst in order of time; where both have a value for an instant, newer's counts.
func Merge(dst, older, newer Points) Points {
	if newer.Len() == 0 || older.Len() == 0 || older.TS[older.Len()-1] < newer.TS[0] {
		dst.TS = append(append(dst.TS, older.TS...), newer.TS...)
		dst.Value = append(append(dst.Value, older.Value...), newer.Value...)
		return dst
	}
	i := 0
	for j, ts := range newer.TS {
		for ; i < older.Len() && older.TS[i] < ts; i++ {
			dst.TS, dst.Value = append(dst.TS, older.TS[i]), append(dst.Value, older.Value[i])
		}
		if i < older.Len() && older.TS[i] == ts {
			i++
		}
		dst.TS, dst.Value = append(dst.TS, ts), append(dst.Value, newer.Value[j])
	}
	dst.TS, dst.Value = append(dst.TS, older.TS[i:]...), append(dst.Value, older.Value[i:]...)
	return dst
}
