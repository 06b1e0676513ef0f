package readings_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/modules/readings/history"
	"telltale/modules/readings/payload"
	"telltale/platform/fault"
	"telltale/platform/postgres/pgtest"
)

func TestResolver_NamesReadingsOfSeriesBeyondTheLimit(t *testing.T) {
	t.Parallel()
	e := startEngine(t, pgtest.New(t))
	e.Registry.Limit(3)
	e.Post(t, `{"readings":[{"device":"a","ts":1,"values":{"m":1,"n":1}}]}`)
	request := payload.Request{
		ContentType: "application/json", MaxBytes: 1000, Now: time.Now(),
		Data: []byte(`{"readings":[{"device":"a","ts":2,"values":{"m":2}},{"device":"a","ts":3,"values":{"m":3,"o":3}},
			{"device":"b","ts":2,"values":{"m":2}},{"device":"a","ts":4,"values":{"m":4,"o":4}}]}`),
	}
	_, err := e.Ingest(t.Context(), everyone, request, false)
	require.Equal(t, fault.Invalid, fault.KindOf(err))
	const full = "would make a new series; there are 2 of the 3 that MAX_SERIES allows"
	require.Equal(t, []fault.Field{{Name: "readings[2]", Reason: full}}, fault.As(err).Fields)
	require.Equal(t, 2, e.Registry.Size(), "nothing is registered for a request that is refused")

	receipt, err := e.Ingest(t.Context(), everyone, request, true)
	require.NoError(t, err)
	require.Equal(t, 5, receipt.Accepted)
	require.Equal(t, []payload.Reject{{Index: 2, Field: "readings[2]", Reason: "would make a new series; there are 3 of the 3 that MAX_SERIES allows"}}, receipt.Rejects)
	require.Equal(t, [][]float64{{1, 1}, {2, 2}, {3, 3}, {4, 4}}, e.Answer(t, history.Query{}).Rows["a/m"])
	require.Equal(t, [][]float64{{3, 3}, {4, 4}}, e.Answer(t, history.Query{}).Rows["a/o"])

	request.Data = []byte(`{"readings":[{"device":"a","ts":5,"values":{"m":5}},{"device":"a","ts":6,"values":{"m":6,"p":6}}]}`)
	receipt, err = e.Ingest(t.Context(), everyone, request, true)
	require.NoError(t, err)
	require.Equal(t, 1, receipt.Accepted)
	require.Equal(t, 1, receipt.Rejected)
	require.Len(t, e.Answer(t, history.Query{}).Rows["a/m"], 5, "an item is stored whole or not at all")
}
