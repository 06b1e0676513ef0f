package batchlog_test

import (
	"context"
	"errors"
	"testing"

	"telltale/modules/readings/batchlog"
	"telltale/modules/readings/readingstest"
	"telltale/platform/postgres/pgtest"

	"github.com/stretchr/testify/require"
)

func TestLog_IsReadThroughInOrderUntilAnError(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	const batches = 4 * batchlog.StretchBatches
	readingstest.FillLog(t, db, 1, batches, 1)
	log, seen := batchlog.NewLog(db), int64(100)
	require.NoError(t, log.ReadThrough(t.Context(), seen, batches-100, func(some []*batchlog.Batch) error {
		for _, b := range some {
			require.Equal(t, seen+1, b.Seq)
			seen = b.Seq
		}
		return nil
	}))
	require.Equal(t, int64(batches-100), seen)

	wrong, calls := errors.New("wrong"), 0
	err := log.ReadThrough(t.Context(), 0, batches, func([]*batchlog.Batch) error { calls++; return wrong })
	require.ErrorIs(t, err, wrong)
	require.Equal(t, 1, calls)

	ctx, cancel := context.WithCancel(t.Context())
	err = log.ReadThrough(ctx, 0, batches, func([]*batchlog.Batch) error { cancel(); return nil })
	require.ErrorIs(t, err, context.Canceled)
	require.NoError(t, log.ReadThrough(t.Context(), batches, batches+10, func([]*batchlog.Batch) error { return wrong }))
}
