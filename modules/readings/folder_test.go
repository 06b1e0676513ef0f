package readings

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/config"
	"telltale/platform/postgres/pgtest"
)

func TestFoldsAreDueAtMultiplesOfTheInterval(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		interval  time.Duration
		now, next string
	}{
		{time.Hour, "2026-10-05T13:20:00Z", "2026-10-05T14:00:30Z"},
		{time.Hour, "2026-10-05T14:00:10Z", "2026-10-05T14:00:30Z"},
		{time.Hour, "2026-10-05T14:00:30Z", "2026-10-05T15:00:30Z"},
		{24 * time.Hour, "2026-10-05T00:30:00Z", "2026-10-05T01:00:30Z"},
		{24 * time.Hour, "2026-10-05T01:00:30Z", "2026-10-06T01:00:30Z"},
	} {
		now, err := time.Parse(time.RFC3339, c.now)
		require.NoError(t, err)
		f := Folder{limits: config.Readings{FoldInterval: c.interval}}
		require.Equal(t, c.next, f.next(now).UTC().Format(time.RFC3339), c.now)
	}
}

func TestAFoldOfADayThatIsClosedMakesOneChunkOfIt(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	e := startEngine(t, db)
	start := time.Date(2026, 10, 5, 0, 0, 0, 0, time.UTC)
	_, err := db.Exec(t.Context(), updateClosed, start)
	require.NoError(t, err)
	e.folder.now = func() time.Time { return start.AddDate(0, 0, 1).Add(closeGrace) }
	for h := range int64(25) {
		e.post(t, `{"readings":[{"device":"a","ts":%d,"values":{"m":%d}}]}`, start.UnixMilli()+h*hour, h)
	}
	require.NoError(t, e.folder.closeDays(t.Context()))
	e.fold(t)
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
	byDay := e.history(t, Query{From: start.UnixMilli(), To: start.UnixMilli() + 2*day, Interval: &Interval{Millis: day}, Aggregates: []Aggregate{Count}})
	require.Equal(t, [][]float64{{float64(start.UnixMilli()), 24}, {float64(start.UnixMilli() + day), 1}}, byDay.points["a/m"])
}
