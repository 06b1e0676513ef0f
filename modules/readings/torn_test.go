package readings

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/platform/postgres/pgtest"
)

// An instance that was suspended for longer than the log is kept finds it cut off before the batch that it needs next.
func TestAnInstanceThatSleptPastTheLogsRetentionGoesOnFromTheChunks(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	asleep, other := startEngine(t, db), startEngine(t, db)
	asleep.post(t, `{"readings":[{"device":"a","ts":1,"values":{"m":1}},{"device":"b","ts":1,"values":{"m":1}}]}`)

	asleep.tail.advancing.Lock()
	require.NoError(t, other.Drop(t.Context(), "b"))
	for ts := range 3 {
		other.post(t, `{"readings":[{"device":"a","ts":%d,"values":{"m":2}}]}`, ts)
	}
	other.fold(t)
	_, err := db.Exec(t.Context(), `DELETE FROM reading_log WHERE seq <= 4`)
	require.NoError(t, err)
	asleep.tail.advancing.Unlock()

	require.Eventually(t, func() bool { return asleep.window.Head() == 5 && asleep.tail.Err() == nil }, time.Minute, time.Millisecond)
	want := map[string][][]float64{"a/m": {{0, 2}, {1, 2}, {2, 2}}}
	require.Equal(t, want, asleep.history(t, Query{}).points)
	asleep.post(t, `{"readings":[{"device":"b","ts":7,"values":{"m":7}}]}`)
	want["b/m"] = [][]float64{{7, 7}}
	require.Equal(t, want, asleep.history(t, Query{}).points)
}

func TestAnInstanceThatSleptUntilNothingWasLeftOfTheLogGoesOnFromTheChunks(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	asleep, other := startEngine(t, db), startEngine(t, db)
	asleep.post(t, `{"readings":[{"device":"a","ts":1,"values":{"m":1}}]}`)

	asleep.tail.advancing.Lock()
	other.post(t, `{"readings":[{"device":"b","ts":1,"values":{"m":2}}]}`)
	other.fold(t)
	_, err := db.Exec(t.Context(), `DELETE FROM reading_log`)
	require.NoError(t, err)
	asleep.tail.advancing.Unlock()

	require.Eventually(t, func() bool { return asleep.window.Head() == 2 && asleep.tail.Err() == nil }, time.Minute, time.Millisecond)
	require.Equal(t, map[string][][]float64{"a/m": {{1, 1}}, "b/m": {{1, 2}}}, asleep.history(t, Query{}).points)
}

// After a failover to a server that had not got the newest commits their seqs are given to other batches.
func TestWhatAFailoverLostIsNotFoldedInPlaceOfWhatFollows(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	e := startEngine(t, db)
	for ts := range 3 {
		e.post(t, `{"readings":[{"device":"a","ts":%d,"values":{"m":1}}]}`, ts)
	}
	e.tail.advancing.Lock() // the failover happens between two polls
	_, err := db.Exec(t.Context(), `DELETE FROM reading_log WHERE seq >= 2`)
	require.NoError(t, err)
	for ts := range int64(2) {
		b := &Batch{Series: []int32{1}, TS: []int64{10 + ts}, Value: []float64{2}}
		require.NoError(t, e.log.Append(t.Context(), b, 0))
	}
	require.ErrorIs(t, e.folder.Fold(t.Context()), errTorn)
	e.tail.advancing.Unlock()

	want := [][]float64{{0, 1}, {10, 2}, {11, 2}}
	require.Eventually(t, func() bool { return e.folder.Fold(t.Context()) == nil }, time.Minute, 10*time.Millisecond)
	require.Equal(t, want, e.history(t, Query{}).points["a/m"])
	require.Equal(t, want, startEngine(t, db).history(t, Query{}).points["a/m"])
}

// A restore brings back the counter that series ids come from as well.
func TestAnIDThatStandsForAnotherSeriesAfterARestoreIsReadAnew(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	e := startEngine(t, db)
	for ts := range 3 {
		e.post(t, `{"readings":[{"device":"a","ts":%d,"values":{"m":1}}]}`, ts)
	}
	id, ok := e.registry.Find("a", "m")
	require.True(t, ok)
	_, err := db.Exec(t.Context(), `UPDATE series SET metric = 'n'`)
	require.NoError(t, err)
	_, err = db.Exec(t.Context(), `DELETE FROM reading_log WHERE seq >= 2`)
	require.NoError(t, err)
	require.Eventually(t, func() bool { times, head := e.window.Replaced(); return times == 1 && head == 1 }, time.Minute, time.Millisecond)
	_, ok = e.registry.Find("a", "m")
	require.False(t, ok)
	series, ok := e.registry.ByID(id)
	require.True(t, ok)
	require.Equal(t, "n", series.Metric)
}

// A failover may lose a fold, and nothing else: it was the last thing that happened.
func TestWhatAFoldThatAFailoverLostHadMovedIsFoldedAgain(t *testing.T) {
	t.Parallel()
	for _, restarted := range []bool{false, true} {
		db := pgtest.New(t)
		e := startEngine(t, db)
		for ts := range 3 {
			e.post(t, `{"readings":[{"device":"a","ts":%d,"values":{"m":1}}]}`, ts)
		}
		e.fold(t)
		if restarted {
			e = startEngine(t, db) // its window holds no batch
		}
		e.tail.advancing.Lock() // the failover happens between two polls
		_, err := db.Exec(t.Context(), `DELETE FROM reading_chunks`)
		require.NoError(t, err)
		_, err = db.Exec(t.Context(), `UPDATE log_state SET folded_seq = 0`)
		require.NoError(t, err)
		require.ErrorIs(t, e.folder.Fold(t.Context()), errTorn)
		e.tail.advancing.Unlock()

		want := [][]float64{{0, 1}, {1, 1}, {2, 1}}
		require.Eventually(t, func() bool { return e.folder.Fold(t.Context()) == nil }, time.Minute, 10*time.Millisecond)
		require.Equal(t, want, e.history(t, Query{}).points["a/m"])
		require.Equal(t, want, startEngine(t, db).history(t, Query{}).points["a/m"])
	}
}

func TestSeriesStayKnownWhileALogThatIsAnotherOneCannotBeRead(t *testing.T) {
	t.Parallel()
	e := startEngine(t, pgtest.New(t))
	e.post(t, `{"readings":[{"device":"a","ts":1,"values":{"m":1}}]}`)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.Error(t, e.tail.reload(ctx))
	_, ok := e.registry.Find("a", "m")
	require.True(t, ok)
}
