package readings_test

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"telltale/modules/readings/bucket"
	"telltale/modules/readings/chunk"
	"telltale/modules/readings/history"
)

// model is what the engine must agree with: every reading in plain maps, the last write of each instant.
type model struct {
	series  map[string]map[int64]float64 // by "device/metric" and instant
	days    map[string]int               // how long a device's readings are kept, where that is not the general setting
	general int                          // 0 is for ever
}

func (m model) clone() model {
	series := map[string]map[int64]float64{}
	for name, points := range m.series {
		series[name] = maps.Clone(points)
	}
	return model{series, maps.Clone(m.days), m.general}
}

func (m model) set(series string, ts int64, value float64) {
	if m.series[series] == nil {
		m.series[series] = map[int64]float64{}
	}
	m.series[series][ts] = value
}

func (m model) deleteDevice(device string) {
	maps.DeleteFunc(m.series, func(series string, _ map[int64]float64) bool { return deviceOf(series) == device })
	delete(m.days, device)
}

// floor returns the first instant of which a device's readings are kept.
func (m model) floor(device string, now time.Time) int64 {
	days, own := m.days[device]
	if !own {
		days = m.general
	}
	if days == 0 {
		return math.MinInt64
	}
	return now.UnixMilli() - int64(days)*chunk.Day
}

// forget removes readings older than their retention.
func (m model) forget(now time.Time) {
	for series, points := range m.series {
		floor := m.floor(deviceOf(series), now)
		maps.DeleteFunc(points, func(ts int64, _ float64) bool { return ts < floor })
	}
	maps.DeleteFunc(m.series, func(_ string, points map[int64]float64) bool { return len(points) == 0 })
}

func deviceOf(series string) string {
	device, _, _ := strings.Cut(series, "/")
	return device
}

// answer computes what History must answer, the slow and obvious way.
func (m model) answer(q history.Query) map[string][][]float64 {
	answer := map[string][][]float64{}
	for series, points := range m.series {
		var ts []int64
		for t := range points {
			if t >= q.From && t < q.To {
				ts = append(ts, t)
			}
		}
		slices.Sort(ts)
		if q.Interval == nil {
			for _, t := range ts {
				answer[series] = append(answer[series], []float64{float64(t), points[t]})
			}
			continue
		}
		var rows [][]float64
		for len(ts) > 0 {
			start := bucketOf(ts[0], q)
			n := 0
			var values []float64
			for n < len(ts) && bucketOf(ts[n], q) == start {
				values = append(values, points[ts[n]])
				n++
			}
			row := []float64{float64(start)}
			for _, aggregate := range q.Aggregates {
				row = append(row, plainAggregate(aggregate, values))
			}
			rows, ts = append(rows, row), ts[n:]
		}
		if rows = plainFill(rows, q); len(rows) > 0 {
			answer[series] = rows
		}
	}
	return answer
}

// plainFill adds the empty buckets: every one that has an instant of the range, found by going through it minute by minute.
func plainFill(rows [][]float64, q history.Query) (filled [][]float64) {
	if q.Fill == history.NoFill {
		return rows
	}
	for ts := q.From; ts < q.To; ts = min(ts-ts%chunk.Minute+chunk.Minute, q.To) {
		start := float64(bucketOf(ts, q))
		if n := len(filled); n > 0 && filled[n-1][0] == start {
			continue
		}
		i, found := slices.BinarySearchFunc(rows, start, func(row []float64, start float64) int { return cmp.Compare(row[0], start) })
		if found {
			filled = append(filled, rows[i])
			continue
		}
		row := []float64{start}
		for column, aggregate := range q.Aggregates {
			value := math.NaN()
			switch {
			case aggregate == bucket.Count:
				value = 0
			case i > 0 && q.Fill == history.Previous:
				value = rows[i-1][column+1]
			case i > 0 && i < len(rows) && q.Fill == history.Linear:
				a, b := rows[i-1], rows[i]
				value = a[column+1] + (start-a[0])/(b[0]-a[0])*(b[column+1]-a[column+1])
			}
			row = append(row, value)
		}
		filled = append(filled, row)
	}
	return filled
}

// known returns an answer with something comparable in place of NaN, and without the series of which it knows nothing: one
// that has been registered, and none of whose readings were stored or are kept, is filled with nulls.
func known(answer map[string][][]float64) map[string][][]float64 {
	for series, rows := range answer {
		nothing := true
		for _, row := range rows {
			for i := range row {
				if math.IsNaN(row[i]) {
					row[i] = math.Inf(1)
				}
			}
			nothing = nothing && !slices.ContainsFunc(row[1:], func(v float64) bool { return v != 0 && !math.IsInf(v, 1) }) &&
				math.IsInf(row[1], 1)
		}
		if nothing {
			delete(answer, series)
		}
	}
	return answer
}

// bucketOf finds the start of a bucket without the code under test: days by walking local midnights, the rest by division.
func bucketOf(ts int64, q history.Query) int64 {
	t := time.UnixMilli(ts).In(q.Zone)
	switch {
	case q.Interval.Days == 1:
		return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, q.Zone).UnixMilli()
	case q.Interval.Months == 1:
		return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, q.Zone).UnixMilli()
	case q.Interval.Weeks > 0: // in UTC; the week of the epoch began three days before it
		return (ts+3*chunk.Day)/q.Interval.Millis*q.Interval.Millis - 3*chunk.Day
	}
	return ts / q.Interval.Millis * q.Interval.Millis
}

func plainAggregate(aggregate bucket.Aggregate, values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	switch aggregate {
	case bucket.Avg:
		return sum / float64(len(values))
	case bucket.Min:
		return slices.Min(values)
	case bucket.Max:
		return slices.Max(values)
	case bucket.Sum:
		return sum
	case bucket.Count:
		return float64(len(values))
	case bucket.First:
		return values[0]
	case bucket.Last:
		return values[len(values)-1]
	}
	// The percentile by its definition: the values at the ranks around it, weighted by how near they are.
	values = slices.Clone(values)
	slices.Sort(values)
	rank := map[bucket.Aggregate]float64{bucket.Median: 0.5, bucket.P95: 0.95}[aggregate] * float64(len(values)-1)
	below, above := values[int(math.Floor(rank))], values[int(math.Ceil(rank))]
	return below + (rank-math.Floor(rank))*(above-below)
}

// plainLTTB follows the pseudocode of Steinarsson's thesis (section 4.2) on rows of an instant and a value.
func plainLTTB(rows [][]float64, n int) [][]float64 {
	if len(rows) <= n {
		return rows
	}
	every := float64(len(rows)-2) / float64(n-2)
	edge := func(i int) int { return min(int(math.Floor(float64(i)*every))+1, len(rows)-1) }
	kept := [][]float64{rows[0]}
	for i := range n - 2 {
		a := kept[len(kept)-1]
		next := rows[edge(i+1):max(edge(i+1)+1, edge(i+2))]
		if i == n-3 {
			next = rows[len(rows)-1:]
		}
		var t, v float64
		for _, row := range next {
			t, v = t+(row[0]-a[0])/float64(len(next)), v+(row[1]-a[1])/float64(len(next))
		}
		candidates := rows[edge(i):edge(i+1)]
		if i == n-3 {
			candidates = rows[edge(i) : len(rows)-1]
		}
		best, largest := candidates[0], -1.0
		for _, row := range candidates {
			// Differences in the last digits must not decide.
			if area := math.Abs((row[0]-a[0])*v - t*(row[1]-a[1])); area > largest*(1+1e-12) {
				best, largest = row, area
			}
		}
		kept = append(kept, best)
	}
	return append(kept, rows[len(rows)-1])
}
