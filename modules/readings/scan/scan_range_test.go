package scan

import (
	"testing"

	"telltale/modules/readings/batchlog"
	"telltale/modules/readings/chunk"

	"github.com/stretchr/testify/require"
)

func TestScan_StatisticsAreEnoughOnTheLongestStretchWithoutReadingsOfTheWindow(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		recent       []int64
		from, to     int64
		since, until int64
	}{
		{nil, 0, 10 * chunk.Hour, 0, 10 * chunk.Hour},
		{nil, 1, 10*chunk.Hour - 1, chunk.Hour, 9 * chunk.Hour},
		{[]int64{9*chunk.Hour + 1, 9*chunk.Hour + 2}, 0, 10 * chunk.Hour, 0, 9 * chunk.Hour},
		{[]int64{9*chunk.Hour + 1, chunk.Hour}, 0, 10 * chunk.Hour, 2 * chunk.Hour, 9 * chunk.Hour},
		{[]int64{0}, 0, 10 * chunk.Hour, chunk.Hour, 10 * chunk.Hour},
		{[]int64{4 * chunk.Hour, 8 * chunk.Hour}, 0, 10 * chunk.Hour, 0, 4 * chunk.Hour},
		{[]int64{2 * chunk.Hour, 8 * chunk.Hour, 8*chunk.Hour - 1}, 0, 10 * chunk.Hour, 3 * chunk.Hour, 7 * chunk.Hour},
		{[]int64{5, chunk.Hour + 5}, 1, 2*chunk.Hour + 1, chunk.Hour, chunk.Hour},
		{[]int64{5}, 1, chunk.Hour - 1, chunk.Hour, chunk.Hour},
	} {
		w := batchlog.NewWindow(1)
		for i, ts := range c.recent {
			w.Apply(&batchlog.Batch{Seq: int64(i + 1), Series: []int32{1}, TS: []int64{ts}, Value: []float64{0}})
		}
		s := Scan{Recent: w.View([]int32{1}), From: c.from, To: c.to, Whole: chunk.HourSpan}
		since, until := s.statisticsRange(0)
		require.Equal(t, [2]int64{c.since, c.until}, [2]int64{since, until}, "%v in [%d, %d)", c.recent, c.from, c.to)
	}
}
