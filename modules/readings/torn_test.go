package readings_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/modules/readings/batchlog"
	"telltale/modules/readings/history"
	"telltale/platform/postgres/pgtest"
)

// holdTail keeps the tail from applying batches until it is released.
func (e *engine) holdTail() (release func()) {
	held, released := make(chan struct{}), make(chan struct{})
	go e.Tail.ViewOf(func() []int32 {
		close(held)
		<-released
		return nil
	})
	<-held
	return func() { close(released) }
}

// An instance that was suspended for longer than the log is kept finds it cut off before the batch that it needs next.
func TestTail_ThatSleptPastTheLogsRetentionGoesOnFromTheChunks(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	asleep, other := startEngine(t, db), startEngine(t, db)
	asleep.Post(t, `{"readings":[{"device":"a","ts":1,"values":{"m":1}},{"device":"b","ts":1,"values":{"m":1}}]}`)

	release := asleep.holdTail()
	require.NoError(t, other.DeleteDevice(t.Context(), "b"))
	for ts := range 3 {
		other.Post(t, `{"readings":[{"device":"a","ts":%d,"values":{"m":2}}]}`, ts)
	}
	other.FoldAll(t)
	_, err := db.Exec(t.Context(), `DELETE FROM reading_log WHERE seq <= 4`)
	require.NoError(t, err)
	release()

	require.Eventually(t, func() bool { return asleep.Window.Head() == 5 && asleep.Tail.Err() == nil }, time.Minute, time.Millisecond)
	want := map[string][][]float64{"a/m": {{0, 2}, {1, 2}, {2, 2}}}
	require.Equal(t, want, asleep.Answer(t, history.Query{}).Rows)
	asleep.Post(t, `{"readings":[{"device":"b","ts":7,"values":{"m":7}}]}`)
	want["b/m"] = [][]float64{{7, 7}}
	require.Equal(t, want, asleep.Answer(t, history.Query{}).Rows)
}

func TestTail_ThatSleptUntilNothingWasLeftOfTheLogGoesOnFromTheChunks(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	asleep, other := startEngine(t, db), startEngine(t, db)
	asleep.Post(t, `{"readings":[{"device":"a","ts":1,"values":{"m":1}}]}`)

	release := asleep.holdTail()
	other.Post(t, `{"readings":[{"device":"b","ts":1,"values":{"m":2}}]}`)
	other.FoldAll(t)
	_, err := db.Exec(t.Context(), `DELETE FROM reading_log`)
	require.NoError(t, err)
	release()

	require.Eventually(t, func() bool { return asleep.Window.Head() == 2 && asleep.Tail.Err() == nil }, time.Minute, time.Millisecond)
	require.Equal(t, map[string][][]float64{"a/m": {{1, 1}}, "b/m": {{1, 2}}}, asleep.Answer(t, history.Query{}).Rows)
}

// After a failover to a server that had not got the newest commits their seqs are given to other batches.
func TestFailover_LossIsNotFoldedInPlaceOfWhatFollows(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	e := startEngine(t, db)
	for ts := range 3 {
		e.Post(t, `{"readings":[{"device":"a","ts":%d,"values":{"m":1}}]}`, ts)
	}
	release := e.holdTail() // the failover happens between two polls
	_, err := db.Exec(t.Context(), `DELETE FROM reading_log WHERE seq >= 2`)
	require.NoError(t, err)
	for ts := range int64(2) {
		b := &batchlog.Batch{Series: []int32{1}, TS: []int64{10 + ts}, Value: []float64{2}}
		require.NoError(t, e.Log.Append(t.Context(), b, 0))
	}
	require.ErrorIs(t, e.Runner.Fold(t.Context()), batchlog.ErrTorn)
	release()

	want := [][]float64{{0, 1}, {10, 2}, {11, 2}}
	require.Eventually(t, func() bool { return e.Runner.Fold(t.Context()) == nil }, time.Minute, 10*time.Millisecond)
	require.Equal(t, want, e.Answer(t, history.Query{}).Rows["a/m"])
	require.Equal(t, want, startEngine(t, db).Answer(t, history.Query{}).Rows["a/m"])
}

// What a replaced log has after the newest batch of an instance does not follow that batch: whether the doorbell tells of it, or
// the instance appends to it by itself, before a poll has noticed.
func TestFailover_IsNoticedByWhatFollowsInTheOtherLog(t *testing.T) {
	t.Parallel()
	for name, others := range map[string]int64{"the doorbell tells of a later batch": 4, "the instance appends the next one": 2} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := pgtest.New(t)
			e := startEngine(t, db)
			for ts := range 3 {
				e.Post(t, `{"readings":[{"device":"a","ts":%d,"values":{"m":1}}]}`, ts)
			}
			release := e.holdTail()
			_, err := db.Exec(t.Context(), `DELETE FROM reading_log WHERE seq >= 2`)
			require.NoError(t, err)
			want := [][]float64{{0, 1}}
			for ts := range others {
				require.NoError(t, e.Log.Append(t.Context(), &batchlog.Batch{Series: []int32{1}, TS: []int64{10 + ts}, Value: []float64{2}}, 0))
				want = append(want, []float64{float64(10 + ts), 2})
			}
			if others == 2 {
				posted := make(chan error)
				go func() {
					_, err := e.Appender.Append(t.Context(), []int32{1}, []int64{20}, []float64{3})
					posted <- err
				}()
				want = append(want, []float64{20, 3})
				require.Eventually(t, func() bool { // stored, and on its way into the window
					state, err := e.Log.State(t.Context())
					return err == nil && state.Head == 4
				}, time.Minute, time.Millisecond)
				release()
				require.NoError(t, <-posted)
			} else {
				release()
			}
			require.Eventually(t, func() bool { times, _ := e.Window.Replaced(); return times == 1 && e.Tail.Err() == nil }, time.Minute, time.Millisecond)
			require.Equal(t, want, e.Answer(t, history.Query{}).Rows["a/m"])
		})
	}
}

// A restore brings back the counter that series ids come from as well.
func TestFailover_IDThatThenStandsForAnotherSeriesIsReadAgain(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	e := startEngine(t, db)
	for ts := range 3 {
		e.Post(t, `{"readings":[{"device":"a","ts":%d,"values":{"m":1}}]}`, ts)
	}
	id, ok := e.Registry.Find("a", "m")
	require.True(t, ok)
	_, err := db.Exec(t.Context(), `UPDATE series SET metric = 'n'`)
	require.NoError(t, err)
	_, err = db.Exec(t.Context(), `DELETE FROM reading_log WHERE seq >= 2`)
	require.NoError(t, err)
	require.Eventually(t, func() bool { times, head := e.Window.Replaced(); return times == 1 && head == e.Window.Stats().Stamp }, time.Minute, time.Millisecond)
	_, ok = e.Registry.Find("a", "m")
	require.False(t, ok)
	series, ok := e.Registry.ByID(id)
	require.True(t, ok)
	require.Equal(t, "n", series.Metric)
}

// A failover may lose a fold, and nothing else: it was the last thing that happened.
func TestFailover_ThatLostAFoldHasItsReadingsFoldedAgain(t *testing.T) {
	t.Parallel()
	for _, restarted := range []bool{false, true} {
		db := pgtest.New(t)
		e := startEngine(t, db)
		for ts := range 3 {
			e.Post(t, `{"readings":[{"device":"a","ts":%d,"values":{"m":1}}]}`, ts)
		}
		e.FoldAll(t)
		if restarted {
			e = startEngine(t, db) // its window holds no batch
		}
		release := e.holdTail() // the failover happens between two polls
		_, err := db.Exec(t.Context(), `DELETE FROM reading_chunks`)
		require.NoError(t, err)
		_, err = db.Exec(t.Context(), `UPDATE log_state SET folded_seq = 0`)
		require.NoError(t, err)
		require.ErrorIs(t, e.Runner.Fold(t.Context()), batchlog.ErrTorn)
		release()

		want := [][]float64{{0, 1}, {1, 1}, {2, 1}}
		require.Eventually(t, func() bool { return e.Runner.Fold(t.Context()) == nil }, time.Minute, 10*time.Millisecond)
		require.Equal(t, want, e.Answer(t, history.Query{}).Rows["a/m"])
		require.Equal(t, want, startEngine(t, db).Answer(t, history.Query{}).Rows["a/m"])
	}
}
