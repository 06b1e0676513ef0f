package readings_test

import (
	"testing"

	"telltale/modules/readings/bucket"
	"telltale/modules/readings/chunk"
	"telltale/modules/readings/history"

	"github.com/stretchr/testify/require"
)

// A late reading must not change what a long chart says, wherever it falls among days, hours and months.
func TestHistory_OfBucketsThatStatisticsAnswerHoldsALateReading(t *testing.T) {
	t.Parallel()
	a := startAPI(t, everyone)
	a.fill(t, "a", 90*24, chunk.Hour)
	for _, interval := range []string{"1h", "6h", "1d", "1mo"} {
		for _, late := range []int64{5, 40*chunk.Day + 7, 89*chunk.Day + 23*chunk.Hour + 9} {
			q := history.Query{From: 0, To: 90 * chunk.Day, Aggregates: []bucket.Aggregate{bucket.Count, bucket.Sum, bucket.Max}}
			width, err := bucket.ParseInterval(interval)
			require.NoError(t, err)
			q.Interval = &width
			before := a.Answer(t, q).Rows["a/m"]
			a.Post(t, `{"readings":[{"device":"a","ts":%d,"values":{"m":5000}}]}`, late)
			during := a.Answer(t, q).Rows["a/m"]
			require.NotEqual(t, before, during)
			a.FoldAll(t)
			require.Equal(t, a.Answer(t, q).Rows["a/m"], during, "%s %d", interval, late)
			a.Post(t, `{"readings":[{"device":"a","ts":%d,"values":{"m":-1}}]}`, late)
			a.FoldAll(t)
		}
	}
}
