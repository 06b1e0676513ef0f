package readings_test

import (
	"testing"
	"time"

	"telltale/modules/readings/instant"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"telltale/modules/readings/bucket"
	"telltale/modules/readings/chunk"
	"telltale/modules/readings/history"
	"telltale/platform/postgres/pgtest"
)

// Invariant 3. A statement whose plan waits for the lock on one month knows the months that there were before it waited, but
// its snapshot is of afterwards: it sees that readings have been folded, and would not see where into.
func TestHistory_HoldsAReadingThatIsFoldedIntoANewMonthWhileTheQueryIsPlanned(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	e := startEngine(t, db)
	january := time.Date(2025, 1, 5, 0, 0, 0, 0, time.UTC).UnixMilli()
	e.Post(t, `{"readings":[{"device":"a","ts":%d,"values":{"m":1}}]}`, january)
	e.FoldAll(t)
	for month := range int64(4) {
		ts := january + (40+31*month)*chunk.Day
		e.Post(t, `{"readings":[{"device":"a","ts":%d,"values":{"m":1}}]}`, ts)
		query := history.Query{From: instant.Min, To: instant.Max + 1, Versioned: month == 3}
		if query.Limit = 1000; month%2 == 1 {
			query.Interval, query.Aggregates, query.Zone = &bucket.Interval{Millis: chunk.Day, Days: 1}, []bucket.Aggregate{bucket.Count}, time.UTC
		}
		answered := make(chan *collected, 1)
		require.NoError(t, db.InTx(t.Context(), pgx.TxOptions{}, func(tx pgx.Tx) error {
			_, err := tx.Exec(t.Context(), `LOCK TABLE `+chunk.UTC(january).Format("reading_chunks_2006_01")+` IN ACCESS EXCLUSIVE MODE`)
			go func() { answered <- e.Answer(t, query) }()
			awaitWaiting(t, db, 1)
			// Meanwhile another reading comes, and both are folded.
			e.Post(t, `{"readings":[{"device":"a","ts":%d,"values":{"m":1}}]}`, ts+chunk.Day)
			e.FoldAll(t)
			return err
		}))
		got := <-answered
		count := 0
		for _, row := range got.Rows["a/m"] {
			if int64(row[0]) <= ts {
				count++
			}
		}
		require.Equal(t, int(1+2*month+1), count)
		if got.Seq == e.Window.Head() {
			require.Len(t, got.Rows["a/m"], int(1+2*month+2), "what is said to be in the answer must be")
		}
	}
}
