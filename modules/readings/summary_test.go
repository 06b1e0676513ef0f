package readings

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSummariesAreEnoughOnTheLongestStretchWithoutReadingsOfTheWindow(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		recent       []int64
		from, to     int64
		since, until int64
	}{
		{nil, 0, 10 * hour, 0, 10 * hour},
		{nil, 1, 10*hour - 1, hour, 9 * hour},
		{[]int64{9*hour + 1, 9*hour + 2}, 0, 10 * hour, 0, 9 * hour},
		{[]int64{9*hour + 1, hour}, 0, 10 * hour, 2 * hour, 9 * hour},
		{[]int64{0}, 0, 10 * hour, hour, 10 * hour},
		{[]int64{4 * hour, 8 * hour}, 0, 10 * hour, 0, 4 * hour},
		{[]int64{2 * hour, 8 * hour, 8*hour - 1}, 0, 10 * hour, 3 * hour, 7 * hour},
		{[]int64{5, hour + 5}, 1, 2*hour + 1, hour, hour},
		{[]int64{5}, 1, hour - 1, hour, hour},
	} {
		w := NewWindow(1)
		for i, ts := range c.recent {
			w.Apply(&Batch{Seq: int64(i + 1), Series: []int32{1}, TS: []int64{ts}, Value: []float64{0}})
		}
		s := scan{recent: w.view([]int32{1}), from: c.from, to: c.to}
		since, until := s.summaryRange(0, hourSpan)
		require.Equal(t, [2]int64{c.since, c.until}, [2]int64{since, until}, "%v in [%d, %d)", c.recent, c.from, c.to)
	}
}

// A late reading must not change what a long chart says, wherever it falls among days, hours and months.
func TestALateReadingIsInBucketsThatSummariesAnswer(t *testing.T) {
	t.Parallel()
	a := startAPI(t, everyone)
	a.fill(t, "a", 90*24, hour)
	for _, interval := range []string{"1h", "6h", "1d", "1mo"} {
		for _, late := range []int64{5, 40*day + 7, 89*day + 23*hour + 9} {
			q := Query{From: 0, To: 90 * day, Aggregates: []Aggregate{Count, Sum, Max}}
			width, err := ParseInterval(interval)
			require.NoError(t, err)
			q.Interval = &width
			before := a.history(t, q).points["a/m"]
			a.post(t, `{"readings":[{"device":"a","ts":%d,"values":{"m":5000}}]}`, late)
			during := a.history(t, q).points["a/m"]
			require.NotEqual(t, before, during)
			a.fold(t)
			require.Equal(t, a.history(t, q).points["a/m"], during, "%s %d", interval, late)
			a.post(t, `{"readings":[{"device":"a","ts":%d,"values":{"m":-1}}]}`, late)
			a.fold(t)
		}
	}
}
