package readings

import (
	"testing"

	"github.com/stretchr/testify/require"

	"telltale/platform/postgres/pgtest"
)

func TestADeviceCanBeDeletedWhenTheLogsNewestBlockIsFull(t *testing.T) {
	t.Parallel()
	e := startEngine(t, pgtest.New(t))
	e.post(t, `{"readings":[{"device":"a","ts":1,"values":{"m":1}}]}`)
	for e.window.Head() < minBlockWidth {
		e.post(t, `{"readings":[{"device":"b","ts":1,"values":{"m":1}}]}`)
	}
	require.NoError(t, e.Drop(t.Context(), "a"))
	require.NotContains(t, e.history(t, Query{}).points, "a/m")
}
