package readings_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/modules/readings/bucket"
	"telltale/modules/readings/chunk"
	"telltale/modules/readings/history"
	"telltale/platform/postgres/pgtest"
)

func TestFold_OfADayThatIsClosedMakesOneChunkOfIt(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	e := startEngine(t, db)
	start := time.Date(2026, 10, 5, 0, 0, 0, 0, time.UTC)
	_, err := db.Exec(t.Context(), setClosed, start)
	require.NoError(t, err)
	e.SetNow(func() time.Time { return start.AddDate(0, 0, 1).Add(time.Hour) })
	for h := range int64(25) {
		e.Post(t, `{"readings":[{"device":"a","ts":%d,"values":{"m":%d}}]}`, start.UnixMilli()+h*chunk.Hour, h)
	}
	require.NoError(t, e.Runner.CloseDays(t.Context()))
	e.FoldAll(t)
	rows, err := db.Query(t.Context(), `SELECT hours || ':' || count FROM reading_chunks ORDER BY start_at`)
	require.NoError(t, err)
	var chunks []string
	for rows.Next() {
		var chunk string
		require.NoError(t, rows.Scan(&chunk))
		chunks = append(chunks, chunk)
	}
	require.NoError(t, rows.Err())
	require.Equal(t, []string{"24:24", "1:1"}, chunks)
	byDay := e.Answer(t, history.Query{From: start.UnixMilli(), To: start.UnixMilli() + 2*chunk.Day, Interval: &bucket.Interval{Millis: chunk.Day}, Aggregates: []bucket.Aggregate{bucket.Count}})
	require.Equal(t, [][]float64{{float64(start.UnixMilli()), 24}, {float64(start.UnixMilli() + chunk.Day), 1}}, byDay.Rows["a/m"])
}
