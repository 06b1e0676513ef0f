package readings_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"telltale/modules/readings/history"
	"telltale/platform/postgres/pgtest"
)

func TestDeletion_OfADeviceWorksWhenTheNewestBlockOfTheLogIsFull(t *testing.T) {
	t.Parallel()
	e := startEngine(t, pgtest.New(t))
	e.Post(t, `{"readings":[{"device":"a","ts":1,"values":{"m":1}}]}`)
	for e.Window.Head() < 1<<10 {
		e.Post(t, `{"readings":[{"device":"b","ts":1,"values":{"m":1}}]}`)
	}
	require.NoError(t, e.DeleteDevice(t.Context(), "a"))
	require.NotContains(t, e.Answer(t, history.Query{}).Rows, "a/m")
}
