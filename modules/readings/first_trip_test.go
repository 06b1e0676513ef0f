package readings_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"telltale/modules/readings/bucket"
	"telltale/modules/readings/chunk"
	"telltale/modules/readings/history"
	"telltale/modules/series"
	"telltale/platform/postgres/pgtest"
)

// Invariant 3. The instance hears of the batch while it is choosing the series of a query: the window holds it by then, but
// its series is not among those chosen.
func TestFirstTrip_FindsASeriesThatAnotherInstanceRegistered(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	here, there := startEngine(t, db), startEngine(t, db)
	var many []series.Name
	for i := range 30_000 { // to choose among them takes a while
		many = append(many, series.Name{Device: fmt.Sprint("device-", i), Metric: "other"})
	}
	_, err := there.Registry.Register(t.Context(), many, true)
	require.NoError(t, err)
	require.NoError(t, here.Registry.Load(t.Context()))
	for i := range 50 {
		name := fmt.Sprint("new-", i)
		there.Post(t, `{"readings":[{"device":%q,"ts":%d,"values":{"m":1}}]}`, name, i)
		got := here.Answer(t, history.Query{Selection: history.Selection{Metrics: []string{"m"}}, From: 0, To: 1000})
		require.Contains(t, got.Rows, name+"/m")
	}
}

// A page goes on from the seq of an answer by the stream: what it claims to hold does not come again.
func TestFirstTrip_ClaimsNothingOfSeriesThatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	e := startEngine(t, db)
	january := time.Date(2025, 1, 5, 0, 0, 0, 0, time.UTC).UnixMilli()
	e.Post(t, `{"readings":[{"device":"a","ts":%d,"values":{"m":1}},{"device":"a","ts":%d,"values":{"m":1}}]}`, january, january+40*chunk.Day)
	e.FoldAll(t)
	for i, q := range []history.Query{{From: 0, To: january + 50*chunk.Day}, {From: january, To: january + chunk.Hour}} {
		answered := make(chan *collected, 1)
		require.NoError(t, db.InTx(t.Context(), pgx.TxOptions{}, func(tx pgx.Tx) error {
			_, err := tx.Exec(t.Context(), `LOCK TABLE `+chunk.UTC(january).Format("reading_chunks_2006_01")+` IN ACCESS EXCLUSIVE MODE`)
			go func() { answered <- e.Answer(t, q) }()
			awaitWaiting(t, db, 1)
			e.Post(t, `{"readings":[{"device":"b%d","ts":%d,"values":{"m":1}}]}`, i, january+40*chunk.Day)
			e.FoldAll(t)
			return err
		}))
		if got := <-answered; got.Seq == e.Window.Head() {
			require.Contains(t, got.Order, fmt.Sprintf("b%d/m", i))
		}
	}
}

// Queries leave connections to ingest: none of them takes two.
func TestFirstTrip_TakesOneConnectionAtATime(t *testing.T) {
	t.Parallel()
	cfg := pgtest.Config(t)
	cfg.MaxConnections = 1
	e := startEngine(t, pgtest.Open(t, cfg))
	e.Post(t, `{"readings":[{"device":"a","ts":0,"values":{"m":1}},{"device":"a","ts":60000,"values":{"m":2}}]}`)
	e.Limits.BucketValues = 1
	e.AnswerWithin(e.Limits)
	interval := bucket.Interval{Millis: chunk.Minute}
	got := e.Answer(t, history.Query{From: 0, To: chunk.Hour, Interval: &interval, Aggregates: []bucket.Aggregate{bucket.P95}, Zone: time.UTC})
	require.Equal(t, [][]float64{{0, 1}, {60000, 2}}, got.Rows["a/m"])
}

// A failover may lose a batch, and another gets its seq.
func TestVersion_IsNotThatOfABatchWhichAFailoverLost(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	e := startEngine(t, db)
	e.Post(t, `{"readings":[{"device":"a","ts":1,"values":{"m":1}}]}`)
	e.FoldAll(t)
	e.Post(t, `{"readings":[{"device":"a","ts":2,"values":{"m":1}}]}`)
	q := history.Query{From: 0, To: 1000, Versioned: true}
	before := e.Answer(t, q)
	require.NotEmpty(t, before.Version)
	_, err := db.Exec(t.Context(), `DELETE FROM reading_log WHERE seq = 2`)
	require.NoError(t, err)
	other := startEngine(t, db)
	other.Post(t, `{"readings":[{"device":"a","ts":2,"values":{"m":2}}]}`)
	after := other.Answer(t, q)
	require.NotEqual(t, before.Rows, after.Rows)
	require.NotEqual(t, before.Version, after.Version)
}
