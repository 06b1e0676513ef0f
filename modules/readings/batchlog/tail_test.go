package batchlog

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"telltale/modules/series"
	"telltale/platform/postgres/pgtest"
)

func TestTail_KeepsSeriesKnownWhileALogThatIsAnotherOneCannotBeRead(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	registry := series.NewRegistry(db)
	tail := NewTail(db, NewLog(db), NewWindow(1<<20), registry, zap.NewNop())
	require.NoError(t, tail.load(t.Context()))
	_, err := registry.Register(t.Context(), []series.Name{{Device: "a", Metric: "m"}}, true)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.Error(t, tail.reload(ctx))
	_, ok := registry.Find("a", "m")
	require.True(t, ok)
}
