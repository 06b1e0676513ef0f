package livebucket

import (
	"context"
	"fmt"
	"testing"
	"time"

	"telltale/modules/readings/history"

	"github.com/stretchr/testify/require"

	"telltale/modules/auth/access"
	"telltale/modules/readings/batchlog"
	"telltale/modules/series"
	"telltale/modules/streaming/budget"
	"telltale/modules/streaming/event"
	"telltale/modules/streaming/filter"
	"telltale/modules/streaming/request"
)

// emptyLog is a window without batches.
type emptyLog struct{}

func (emptyLog) Head() int64                                           { return 0 }
func (emptyLog) Next(int64) ([]*batchlog.Batch, <-chan struct{}, bool) { return nil, nil, true }
func (emptyLog) ByID(int32) (series.Series, bool)                      { return series.Series{}, false }

// questionAbout returns a question about the minutes of a device.
func questionAbout(t *testing.T, device string) *Question {
	t.Helper()
	r, err := request.Parse(request.Values{"interval": {"1m"}, "device": {device}}, "", time.Now())
	require.NoError(t, err)
	r.Principal = access.Principal{Subject: "test", Scopes: []access.Scope{access.Admin}}
	f := filter.New(r.Selection, nil, r.Principal)
	return NewQuestion(&r, &f)
}

// answer is history with a bucket of each minute.
func answer(_ context.Context, _ access.Principal, q history.Query, rows *Rows) error {
	if err := rows.Series(series.Series{Device: q.Devices[0], Metric: "m"}); err != nil {
		return err
	}
	for ts := q.From; ts < q.To; ts += time.Minute.Milliseconds() {
		if err := rows.Bucket(ts, []float64{1}); err != nil {
			return err
		}
	}
	return nil
}

func makerOf(history History, bytes int) *Maker {
	limits := Defaults()
	limits.Bytes = bytes
	return NewMaker(Sources{History: history, Window: emptyLog{}, Names: emptyLog{}, Budget: budget.NewBytes(1 << 20)}, limits)
}

// kept reports whether the maker has a memo for the question.
func (m *Maker) kept(q *Question) bool {
	found := true
	m.memos.Get(memoKey{question: q.key}, 0, func() *memo { found = false; return &memo{} })
	return found
}

func hourAgo() Point {
	return Point{Position: event.Position{Until: time.Now().Truncate(time.Hour).Add(-time.Hour).UnixMilli()}}
}

// Questions that no viewer asks any more, and that came to nothing, must not pile up.
func TestMaker_KeepsQuestionsThatFailedWithinItsBudget(t *testing.T) {
	t.Parallel()
	away := fmt.Errorf("the database is away")
	m := makerOf(func(context.Context, access.Principal, history.Query, *Rows) error { return away }, 10*memoBytes)
	var asked []*Question
	for k := range 50 {
		q := questionAbout(t, fmt.Sprint(k))
		_, _, err := m.Flush(t.Context(), q, hourAgo())
		require.ErrorIs(t, err, away)
		asked = append(asked, q)
	}
	for k, q := range asked {
		require.Equal(t, k >= 40, m.kept(q), k)
	}
}

func TestMaker_CountsTheTextOfFlushes(t *testing.T) {
	t.Parallel()
	m := makerOf(answer, 2*memoBytes)
	q := questionAbout(t, "a")
	f, _, err := m.Flush(t.Context(), q, hourAgo())
	require.NoError(t, err)
	require.NotEmpty(t, f.text)
	require.True(t, m.kept(q))
	shared, _, err := m.Flush(t.Context(), q, hourAgo())
	require.NoError(t, err)
	require.Same(t, f, shared)
	m.memos.Get(memoKey{replaced: 1}, memoBytes, func() *memo { return &memo{} })
	require.False(t, m.kept(q), "with its text it is larger than the budget")
	f.Release()
	_, ok := m.from.Budget.Take(1 << 30)
	require.False(t, ok, "another viewer holds the flush")
	shared.Release()
	_, ok = m.from.Budget.Take(1 << 30)
	require.True(t, ok)
}
