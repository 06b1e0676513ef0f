package readings_test

import (
	"context"
	"testing"
	"time"

	"telltale/modules/readings/instant"

	"github.com/stretchr/testify/require"

	"telltale/modules/readings/deletion"
	"telltale/modules/readings/history"
	"telltale/modules/readings/payload"
	"telltale/modules/readings/readingstest"
	"telltale/platform/fault"
	"telltale/platform/postgres/pgtest"
)

// The log has a deletion, which an instance that reads it has to look at chunks for: it stands still there.
func TestStart_SaysHowFarItHasReadTheLogAndRefusesWhatNeedsIt(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	readingstest.FillLog(t, db, 2, 1100, 2)
	before, stop := newEngine(t, db)
	_, _, err := before.Mark(t.Context(), deletion.Request{Devices: []string{"a"}, From: readingstest.FillStart, To: instant.Max})
	require.NoError(t, err)
	before.Post(t, `{"readings":[{"device":"a","ts":7,"values":{"m1":7}}]}`)
	stop()

	var e *engine
	withoutChunks(t, db, func() {
		e, stop = beginEngineAt(t, db, time.Now)
		awaitWaiting(t, db, 1)
		_, err := e.Probe().Check()
		require.ErrorContains(t, err, "the log is being read: 1100 of 1102 batches")
		for name, call := range e.callsThatNeedTheLog(t.Context()) {
			refused := fault.As(call())
			require.NotNil(t, refused, name)
			require.Equal(t, fault.Unavailable, refused.Kind, name)
			require.Positive(t, refused.RetryAfter, name)
		}
	})
	defer stop()
	<-e.Tail.Loaded()
	_, err = e.Probe().Check()
	require.NoError(t, err)
	require.Equal(t, map[string][][]float64{"a/m1": {{7, 7}}}, e.Answer(t, history.Query{}).Rows)
}

// callsThatNeedTheLog are one of each kind.
func (e *engine) callsThatNeedTheLog(ctx context.Context) map[string]func() error {
	all := history.Query{From: instant.Min, To: instant.Max + 1}
	body := payload.Request{
		ContentType: "application/json", Data: []byte(`{"readings":[{"device":"a","ts":8,"values":{"m1":8}}]}`), MaxBytes: 1 << 20, Now: time.Now(),
	}
	return map[string]func() error{
		"history": func() error { return e.Queries.History(ctx, everyone, all, &collected{}) },
		"latest":  func() error { _, err := e.Queries.Latest(ctx, everyone, history.Selection{}); return err },
		"ingest":  func() error { _, err := e.Ingest(ctx, everyone, body, false); return err },
		"delete": func() error {
			_, err := e.Delete(ctx, everyone, deletion.Request{Devices: []string{"a"}, To: 9})
			return err
		},
	}
}

// newest returns the newest reading of every series, by "device/metric".
func (e *engine) newest(t *testing.T) map[string][]float64 {
	t.Helper()
	states, err := e.Queries.Latest(t.Context(), everyone, history.Selection{})
	require.NoError(t, err)
	newest := map[string][]float64{}
	for _, s := range states {
		newest[s.Device+"/"+s.Metric] = []float64{float64(s.LastTS), s.LastValue}
	}
	return newest
}

// The log is longer than what is read at once, with batches of every kind where it is cut, before and after.
// stretchBatches is how many batches a start reads at once at most.
const stretchBatches2 = 8192

func TestStart_KnowsWhatALongLogHolds(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	readingstest.FillLog(t, db, 3, 2*stretchBatches2-2, 3)
	before, stop := newEngine(t, db)
	before.Post(t, `{"readings":[{"device":"b","ts":1,"values":{"m":1}},{"device":"a","ts":9,"values":{"m1":9}}]}`)
	require.NoError(t, before.DeleteDevice(t.Context(), "b")) // the last of a stretch
	_, _, err := before.Mark(t.Context(), deletion.Request{
		Devices: []string{"a"}, Metrics: []string{"m1", "m2"}, From: readingstest.FillStart + 10_000_000, To: instant.Max,
	})
	require.NoError(t, err)
	before.Post(t, `{"readings":[{"device":"b","ts":2,"values":{"m":2}},{"device":"a","ts":%d,"values":{"m2":-1}}]}`, readingstest.FillStart+10_000)
	want, latest := before.Answer(t, history.Query{}), before.newest(t)
	require.Len(t, want.Rows["a/m1"], 1000) // 999 of the log, one that was posted
	require.Len(t, want.Rows["a/m3"], 2*stretchBatches2-2)
	require.Equal(t, [][]float64{{2, 2}}, want.Rows["b/m"])
	stop()

	after := startEngine(t, db)
	require.Equal(t, int64(2*stretchBatches2+2), after.Window.Head())
	require.Equal(t, want.Rows, after.Answer(t, history.Query{}).Rows)
	require.Equal(t, latest, after.newest(t))
	after.FoldAll(t)
	require.Equal(t, want.Rows, after.Answer(t, history.Query{}).Rows)
}
