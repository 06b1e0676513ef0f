package readings

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"telltale/modules/readings/payload"
	"telltale/platform/postgres/pgtest"
)

// Invariant 3. A statement whose plan waits for the lock on one month knows the months that there were before it waited, but
// its snapshot is of afterwards: it sees that readings have been folded, and would not see where into.
func TestHistoryHoldsAReadingThatIsFoldedIntoANewMonthWhileTheQueryIsPlanned(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	e := startEngine(t, db)
	january := time.Date(2025, 1, 5, 0, 0, 0, 0, time.UTC).UnixMilli()
	e.post(t, `{"readings":[{"device":"a","ts":%d,"values":{"m":1}}]}`, january)
	e.fold(t)
	for month := range int64(4) {
		ts := january + (40+31*month)*day
		e.post(t, `{"readings":[{"device":"a","ts":%d,"values":{"m":1}}]}`, ts)
		query := Query{From: payload.MinTS, To: payload.MaxTS + 1, Versioned: month == 3}
		if query.Limit = 1000; month%2 == 1 {
			query.Interval, query.Aggregates, query.Zone = &Interval{Millis: day, Days: 1}, []Aggregate{Count}, time.UTC
		}
		answered := make(chan *collected, 1)
		require.NoError(t, db.InTx(t.Context(), pgx.TxOptions{}, func(tx pgx.Tx) error {
			_, err := tx.Exec(t.Context(), `LOCK TABLE `+monthTable(january)+` IN ACCESS EXCLUSIVE MODE`)
			go func() { answered <- e.history(t, query) }()
			awaitWaiting(t, db, 1)
			// Meanwhile another reading comes, and both are folded.
			e.post(t, `{"readings":[{"device":"a","ts":%d,"values":{"m":1}}]}`, ts+day)
			e.fold(t)
			return err
		}))
		got := <-answered
		count := 0
		for _, row := range got.points["a/m"] {
			if int64(row[0]) <= ts {
				count++
			}
		}
		require.Equal(t, int(1+2*month+1), count)
		if got.seq == e.window.Head() {
			require.Len(t, got.points["a/m"], int(1+2*month+2), "what is said to be in the answer must be")
		}
	}
}
