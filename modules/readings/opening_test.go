package readings

import (
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"telltale/modules/devices"
	"telltale/platform/postgres/pgtest"
)

// Invariant 3. The instance hears of the batch while it is choosing the series of a query: the window holds it by then, but
// its series is not among those chosen.
func TestASeriesRegisteredElsewhereIsInTheNextAnswerHere(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	here, there := startEngine(t, db), startEngine(t, db)
	var many []devices.Name
	for i := range 30_000 { // to choose among so many takes a while
		many = append(many, devices.Name{Device: fmt.Sprint("device-", i), Metric: "other"})
	}
	_, err := there.registry.Register(t.Context(), many, true)
	require.NoError(t, err)
	require.NoError(t, here.registry.Load(t.Context()))
	for i := range 50 {
		name := fmt.Sprint("new-", i)
		there.post(t, `{"readings":[{"device":%q,"ts":%d,"values":{"m":1}}]}`, name, i)
		got := here.history(t, Query{Selection: Selection{Metrics: []string{"m"}}, From: 0, To: 1000})
		require.Contains(t, got.points, name+"/m")
	}
}

// A page goes on from the seq of an answer by the stream: what it claims to hold does not come again.
func TestAnAnswerClaimsNothingOfSeriesThatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	e := startEngine(t, db)
	january := time.Date(2025, 1, 5, 0, 0, 0, 0, time.UTC).UnixMilli()
	e.post(t, `{"readings":[{"device":"a","ts":%d,"values":{"m":1}},{"device":"a","ts":%d,"values":{"m":1}}]}`, january, january+40*day)
	e.fold(t)
	for i, q := range []Query{{From: 0, To: january + 50*day}, {From: january, To: january + hour}} {
		answered := make(chan *collected, 1)
		require.NoError(t, db.InTx(t.Context(), pgx.TxOptions{}, func(tx pgx.Tx) error {
			_, err := tx.Exec(t.Context(), `LOCK TABLE `+monthTable(january)+` IN ACCESS EXCLUSIVE MODE`)
			go func() { answered <- e.history(t, q) }()
			awaitWaiting(t, db, 1)
			e.post(t, `{"readings":[{"device":"b%d","ts":%d,"values":{"m":1}}]}`, i, january+40*day)
			e.fold(t)
			return err
		}))
		if got := <-answered; got.seq == e.window.Head() {
			require.Contains(t, got.order, fmt.Sprintf("b%d/m", i))
		}
	}
}

// Queries leave connections to ingest: none of them takes two.
func TestAQueryTakesOneConnectionAtATime(t *testing.T) {
	t.Parallel()
	cfg := pgtest.Config(t)
	cfg.MaxConnections = 1
	e := startEngine(t, pgtest.Open(t, cfg))
	e.post(t, `{"readings":[{"device":"a","ts":0,"values":{"m":1}},{"device":"a","ts":60000,"values":{"m":2}}]}`)
	e.bucketValues = 1
	interval := Interval{Millis: minute}
	got := e.history(t, Query{From: 0, To: hour, Interval: &interval, Aggregates: []Aggregate{P95}, Zone: time.UTC})
	require.Equal(t, [][]float64{{0, 1}, {60000, 2}}, got.points["a/m"])
}

// A failover may lose a batch, and another gets its seq.
func TestAVersionIsNotThatOfABatchWhichAFailoverLost(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	e := startEngine(t, db)
	e.post(t, `{"readings":[{"device":"a","ts":1,"values":{"m":1}}]}`)
	e.fold(t)
	e.post(t, `{"readings":[{"device":"a","ts":2,"values":{"m":1}}]}`)
	q := Query{From: 0, To: 1000, Versioned: true}
	before := e.history(t, q)
	require.NotEmpty(t, before.version)
	_, err := db.Exec(t.Context(), `DELETE FROM reading_log WHERE seq = 2`)
	require.NoError(t, err)
	other := startEngine(t, db)
	other.post(t, `{"readings":[{"device":"a","ts":2,"values":{"m":2}}]}`)
	after := other.history(t, q)
	require.NotEqual(t, before.points, after.points)
	require.NotEqual(t, before.version, after.version)
}
