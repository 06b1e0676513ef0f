package readings_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"telltale/config"
	"telltale/modules/auth/access"
	"telltale/modules/readings/batchlog"
	"telltale/modules/readings/bucket"
	"telltale/modules/readings/chunk"
	"telltale/modules/readings/history"
	"telltale/modules/readings/payload"
	"telltale/modules/series"
	"telltale/platform/fault"
	"telltale/platform/postgres"
	"telltale/platform/postgres/pgtest"
)

// Invariant 2.
func TestSeq_OrderIsCommitOrderWithoutGaps(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	log := batchlog.NewLog(db)
	_, err := series.NewRegistry(db).Register(t.Context(), []series.Name{{Device: "a", Metric: "m"}}, true)
	require.NoError(t, err)
	const writers, each = 4, 50
	var wait sync.WaitGroup
	for range writers {
		wait.Go(func() {
			for i := range each {
				b := &batchlog.Batch{Series: []int32{1}, TS: []int64{int64(i)}, Value: []float64{1}}
				if err := log.Append(t.Context(), b, 0); err != nil {
					t.Error(err)
				}
			}
		})
	}
	// A reader that follows meanwhile must meet each seq directly after the one before.
	for seen := int64(0); seen < writers*each; {
		batches, err := log.Read(t.Context(), seen, 1)
		require.NoError(t, err)
		for _, b := range batches {
			require.Equal(t, seen+1, b.Seq)
			seen = b.Seq
		}
	}
	wait.Wait()
}

// Invariant 3.
func TestHistory_HoldsEachReadingOnceWhileFoldsMoveThem(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	engines := []*engine{startEngine(t, db), startEngine(t, db)}
	ctx, stop := context.WithCancel(t.Context())
	var folding sync.WaitGroup
	for _, e := range engines {
		folding.Go(func() {
			for ctx.Err() == nil {
				if err := e.Runner.Fold(ctx); err != nil && ctx.Err() == nil {
					t.Error(err)
				}
			}
		})
	}
	hourly := bucket.Interval{Millis: chunk.Hour}
	for i := range int64(150) {
		e := engines[i%2]
		e.Post(t, `{"readings":[{"device":"a","ts":%d,"values":{"m":1}}]}`, i*500_000)
		// The instance that acknowledged has all of its own readings and, once it has heard, the other's.
		require.Eventually(t, func() bool { return e.Window.Head() >= i+1 }, time.Minute, time.Millisecond)
		raw := e.Answer(t, history.Query{}).Rows["a/m"]
		require.Len(t, raw, int(i)+1)
		count := 0.0
		for _, bucket := range e.Answer(t, history.Query{From: 0, To: chunk.Day, Interval: &hourly, Aggregates: []bucket.Aggregate{bucket.Count}}).Rows["a/m"] {
			count += bucket[1]
		}
		require.InDelta(t, float64(i+1), count, 0)
	}
	stop()
	folding.Wait()
}

// Invariant 8.
func TestFold_ThatDiesLeavesNothingHalfDone(t *testing.T) {
	t.Parallel()
	e := startEngine(t, pgtest.New(t))
	random := rand.New(rand.NewPCG(5, 5))
	want := map[int64]float64{}
	died := 0
	for died < 20 {
		var items []string
		for range 200 {
			ts, value := int64(random.IntN(3000))*60_000, float64(random.IntN(100))
			want[ts] = value
			items = append(items, fmt.Sprintf(`{"device":"a","ts":%d,"values":{"m":%v}}`, ts, value))
		}
		e.Post(t, `{"readings":[%s]}`, strings.Join(items, ","))
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(random.IntN(5000))*time.Microsecond)
		if e.Runner.Fold(ctx) != nil {
			died++
		}
		cancel()
		got := map[int64]float64{}
		for _, row := range e.Answer(t, history.Query{}).Rows["a/m"] {
			got[int64(row[0])] = row[1]
		}
		require.Equal(t, want, got)
	}
	e.FoldAll(t)
	require.Len(t, e.Answer(t, history.Query{}).Rows["a/m"], len(want))
}

// Invariant 9: what waits is bounded, and the answer at the bound is one to retry on.
func TestIngest_RefusesWhenTooMuchWaits(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	e := startEngine(t, db, func(limits *config.Readings) { limits.MaxQueuedReadings = 3 })
	e.Post(t, `{"readings":[{"device":"a","ts":1,"values":{"m":1}}]}`)

	// While another transaction holds the append lock nothing can be committed.
	release, locked := make(chan struct{}), make(chan struct{})
	var wait sync.WaitGroup
	wait.Go(func() {
		err := db.InTx(t.Context(), pgx.TxOptions{}, func(tx pgx.Tx) error {
			_, err := tx.Exec(t.Context(), `SELECT pg_advisory_xact_lock($1)`, int64(0x74656c6c_0001))
			close(locked)
			<-release
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-locked
	acknowledged := make(chan error, 1)
	wait.Go(func() {
		_, err := e.Appender.Append(t.Context(), []int32{1, 1}, []int64{2, 3}, []float64{2, 3})
		acknowledged <- err
	})
	require.Eventually(t, func() bool { return e.Appender.Queued() == 2 }, time.Minute, time.Millisecond)
	_, err := e.Appender.Append(t.Context(), []int32{1, 1}, []int64{4, 5}, []float64{4, 5})
	require.Equal(t, fault.Unavailable, fault.KindOf(err))
	require.Positive(t, fault.As(err).RetryAfter)
	select {
	case err := <-acknowledged:
		t.Fatalf("acknowledged before the commit: %v", err)
	default:
	}
	close(release)
	require.NoError(t, <-acknowledged)
	wait.Wait()
	require.Len(t, e.Answer(t, history.Query{}).Rows["a/m"], 3)
}

// Invariant 9: the window does not grow without bound when folding cannot keep up.
func TestIngest_RefusesWhenTooMuchIsUnfolded(t *testing.T) {
	t.Parallel()
	e := startEngine(t, pgtest.New(t), func(limits *config.Readings) { limits.MaxUnfoldedReadings = 1 })
	e.Post(t, `{"readings":[{"device":"a","ts":1,"values":{"m":1,"n":2}}]}`)
	request := payload.Request{
		ContentType: "application/json", MaxBytes: 1000, Now: time.Now(),
		Data: []byte(`{"readings":[{"device":"a","ts":2,"values":{"m":1}}]}`),
	}
	_, err := e.Ingest(t.Context(), everyone, request, false)
	require.Equal(t, fault.Unavailable, fault.KindOf(err))
	e.FoldAll(t)
	_, err = e.Ingest(t.Context(), everyone, request, false)
	require.NoError(t, err)
}

// Invariant 9: the window forgets what is folded, oldest first.
func TestWindow_KeepsToItsBudget(t *testing.T) {
	t.Parallel()
	e := startEngine(t, pgtest.New(t), func(limits *config.Readings) { limits.WindowBytes = 10_000 })
	for i := range 200 {
		e.Post(t, `{"readings":[{"device":"a","ts":%d,"values":{"m":1,"n":2,"o":3}}]}`, i)
		if i%50 == 49 {
			e.FoldAll(t)
		}
	}
	stats := e.Window.Stats()
	require.LessOrEqual(t, stats.Bytes, 12_500)
	require.Equal(t, int64(200), stats.Head)
	_, _, ok := batchlog.NewFeed(e.Window).Next(0)
	require.False(t, ok, "the oldest batches must be gone from memory")
	batches, err := e.Log.Read(t.Context(), 0, 1)
	require.NoError(t, err)
	require.Equal(t, int64(1), batches[0].Seq, "the log still has them")
}

// Invariant 10.
func TestHistory_AndLatestShowOnlyWhatATokenCovers(t *testing.T) {
	t.Parallel()
	e := startEngine(t, pgtest.New(t))
	e.Post(t, `{"readings":[{"device":"mine-1","ts":1,"values":{"m":1}},{"device":"mine-2","ts":1,"values":{"m":2}},
		{"device":"theirs","ts":1,"values":{"m":3}}]}`)
	who := access.Principal{Scopes: []access.Scope{access.ReadingsRead, access.ReadingsWrite, access.DevicesWrite}, Devices: []string{"mine-*"}}
	for _, wanted := range [][]string{nil, {"theirs", "mine-2", "mine-1"}} {
		got := e.AnswerTo(t, who, history.Query{Selection: history.Selection{Devices: wanted}, From: 0, To: 10})
		require.Len(t, got.Order, 2)
		require.NotContains(t, got.Rows, "theirs/m")
		states, err := e.Queries.Latest(t.Context(), who, history.Selection{Devices: wanted})
		require.NoError(t, err)
		require.Len(t, states, 2)
	}
	cursor := history.Query{From: 0, To: 10, After: &history.Cursor{Device: "theirs", Metric: "m"}}
	require.Error(t, e.Queries.History(t.Context(), who, cursor, &collected{Rows: map[string][][]float64{}}))

	_, err := e.Ingest(t.Context(), who, payload.Request{
		ContentType: "application/json", MaxBytes: 1000, Now: time.Now(),
		Data: []byte(`{"readings":[{"device":"mine-1","ts":2,"values":{"m":1}},{"device":"theirs","ts":2,"values":{"m":1}}]}`),
	}, false)
	require.Equal(t, fault.Forbidden, fault.KindOf(err))
	require.Equal(t, "readings[1].device", fault.As(err).Fields[0].Name)
	require.Len(t, e.Answer(t, history.Query{}).Rows["mine-1/m"], 1, "nothing of a refused request is stored")
}

func TestIngest_WithoutDevicesWriteCannotRegisterDevices(t *testing.T) {
	t.Parallel()
	e := startEngine(t, pgtest.New(t))
	e.Post(t, `{"readings":[{"device":"known","ts":1,"values":{"m":1}}]}`)
	who := access.Principal{Scopes: []access.Scope{access.ReadingsWrite}}
	request := payload.Request{
		ContentType: "application/json", MaxBytes: 1000, Now: time.Now(),
		Data: []byte(`{"readings":[{"device":"new","ts":2,"values":{"m":1}},{"device":"known","ts":2,"values":{"other":1}}]}`),
	}
	_, err := e.Ingest(t.Context(), who, request, false)
	require.Equal(t, fault.Invalid, fault.KindOf(err))
	require.Equal(t, "readings[0].device", fault.As(err).Fields[0].Name)
	receipt, err := e.Ingest(t.Context(), who, request, true)
	require.NoError(t, err)
	require.Equal(t, 1, receipt.Accepted)
	require.Equal(t, 0, receipt.Rejects[0].Index)
	require.Len(t, e.Answer(t, history.Query{}).Rows["known/other"], 1)
}

func TestDeletion_OfADeviceReachesEveryInstance(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	one, other := startEngine(t, db), startEngine(t, db)
	seq := one.Post(t, `{"readings":[{"device":"a","ts":1,"values":{"m":1}},{"device":"b","ts":1,"values":{"m":1}}]}`)
	one.FoldAll(t)
	require.NoError(t, other.DeleteDevice(t.Context(), "a"))
	require.True(t, errors.As(other.DeleteDevice(t.Context(), "a"), new(*fault.Fault)))

	// The first instance may not have heard yet, and still knows the series: its readings must not vanish.
	one.Post(t, `{"readings":[{"device":"b","ts":2,"values":{"m":2}}]}`)
	_, err := one.Appender.Append(t.Context(), []int32{1}, []int64{3}, []float64{3})
	require.Equal(t, fault.Unavailable, fault.KindOf(err))
	require.Greater(t, one.Window.Stats().Stamp, seq)
	require.Equal(t, []string{"b/m"}, one.Answer(t, history.Query{}).Order)

	one.Post(t, `{"readings":[{"device":"a","ts":5,"values":{"m":5}}]}`)
	one.FoldAll(t)
	require.Equal(t, [][]float64{{5, 5}}, one.Answer(t, history.Query{}).Rows["a/m"])
	var chunks int
	require.NoError(t, db.QueryRow(t.Context(), `SELECT count(*) FROM reading_chunks WHERE series_id = 1`).Scan(&chunks))
	require.Zero(t, chunks, "the fold removes what was stored of a dropped series")
}

// narrowBlocks makes the log begin with blocks of two batches, so that a test can fill some.
func narrowBlocks(t *testing.T, db *postgres.DB) {
	t.Helper()
	_, err := db.Exec(t.Context(), `DROP TABLE reading_log_1`)
	require.NoError(t, err)
	for first := 1; first < 10; first += 2 {
		for _, statement := range []string{
			`CREATE TABLE reading_log_%[1]d (LIKE reading_log INCLUDING ALL)`,
			`ALTER TABLE reading_log ATTACH PARTITION reading_log_%[1]d FOR VALUES FROM (%[1]d) TO (%[2]d)`,
		} {
			_, err := db.Exec(t.Context(), fmt.Sprintf(statement, first, first+2))
			require.NoError(t, err)
		}
	}
}

func TestLog_OldBlocksAreDroppedAndRemembered(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	narrowBlocks(t, db)
	e := startEngine(t, db)
	stamps := []int64{0}
	for i := range 7 {
		stamps = append(stamps, e.Post(t, `{"readings":[{"device":"a","ts":%d,"values":{"m":1}}]}`, 100+i))
	}
	dropped, err := e.Log.DropBlocks(t.Context(), time.Now().Add(time.Hour))
	require.NoError(t, err)
	require.Zero(t, dropped, "what is not folded stays")
	e.FoldAll(t)
	dropped, err = e.Log.DropBlocks(t.Context(), time.Now().Add(-time.Hour))
	require.NoError(t, err)
	require.Zero(t, dropped, "what is young stays")
	dropped, err = e.Log.DropBlocks(t.Context(), time.Now().Add(time.Hour))
	require.NoError(t, err)
	require.Equal(t, 3, dropped)

	missing, ok, err := e.Log.Missing(t.Context(), stamps[2])
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, batchlog.Missing{FirstStamp: stamps[2] + 1, LastStamp: stamps[6], MinTS: 102, MaxTS: 105}, missing)
	_, ok, err = e.Log.Missing(t.Context(), stamps[6])
	require.NoError(t, err)
	require.False(t, ok)

	// The log goes on beyond its last block: the append attaches one.
	for i := range 5 {
		e.Post(t, `{"readings":[{"device":"a","ts":%d,"values":{"m":1}}]}`, 200+i)
	}
	require.Len(t, e.Answer(t, history.Query{}).Rows["a/m"], 12)
}
