package fold

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"telltale/config"
	"telltale/modules/readings/batchlog"
	"telltale/modules/readings/chunk"
	"telltale/modules/series"
	"telltale/platform/postgres"
	"telltale/platform/postgres/pgtest"
)

// startAged returns a runner on the 28th of a month, which keeps readings for two days, with chunks of a noisy reading a minute
// since the 1st. The setting was another one until now.
func startAged(t *testing.T, db *postgres.DB) *Runner {
	t.Helper()
	ctx := context.Background()
	first := time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)
	now := func() time.Time { return first.AddDate(0, 0, 27) }
	_, err := db.Exec(ctx, updateClosed, first)
	require.NoError(t, err)
	registry := series.NewRegistry(db)
	log, window := batchlog.NewLog(db), batchlog.NewWindow(1<<20)
	tail := batchlog.NewTail(db, log, window, registry, zap.NewNop())
	require.NoError(t, tail.Start(ctx))
	t.Cleanup(func() { require.NoError(t, tail.Stop(context.Background())) })
	<-tail.Loaded()
	parts := Parts{
		DB: db, Log: log, Tail: tail, Window: window, Registry: registry, Logger: zap.NewNop(), Now: now,
		Retention: series.NewRetention(registry, 0, now),
		Limits:    config.Readings{FoldInterval: time.Hour, FoldReadings: 1 << 30, LogRetention: time.Hour},
	}
	name := series.Name{Device: "a", Metric: "m"}
	_, err = registry.Register(ctx, []series.Name{name}, true)
	require.NoError(t, err)
	id, ok := registry.Find(name.Device, name.Metric)
	require.True(t, ok)
	b, random := &batchlog.Batch{}, rand.New(rand.NewPCG(1, 2))
	for at := first.UnixMilli(); at < now().UnixMilli(); at += chunk.Minute {
		b.Series, b.TS, b.Value = append(b.Series, id), append(b.TS, at), append(b.Value, random.NormFloat64())
	}
	require.NoError(t, log.Append(ctx, b, 0))
	require.NoError(t, tail.Reach(ctx))
	require.NoError(t, New(parts).Fold(ctx))
	parts.Retention, parts.Limits.RetentionDays = series.NewRetention(registry, 2, now), 2
	return New(parts)
}

// chunksOf returns how many chunks there are.
func chunksOf(t *testing.T, db *postgres.DB) (n int) {
	t.Helper()
	require.NoError(t, db.QueryRow(t.Context(), `SELECT count(*) FROM reading_chunks`).Scan(&n))
	return n
}

func TestRetention_ThatFailsIsTriedAgainALittleLater(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	f := startAged(t, db)
	whole := chunksOf(t, db)
	var done followed
	now := time.Now()
	require.NoError(t, db.InTx(t.Context(), pgx.TxOptions{}, func(tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), fmt.Sprintf(`SELECT pg_advisory_xact_lock(%d)`, int64(foldLock)))
		require.NoError(t, err)
		f.followSettings(t.Context(), &done, now) // another instance folds
		require.Equal(t, now.Add(foldCheck), done.tries.at)
		return nil
	}))
	f.followSettings(t.Context(), &done, now)
	require.Equal(t, whole, chunksOf(t, db), "it is too early")
	_, err := db.Exec(t.Context(), `ALTER TABLE reading_space RENAME TO reading_room`)
	require.NoError(t, err)
	now = now.Add(foldCheck)
	f.followSettings(t.Context(), &done, now)
	pause := done.tries.at.Sub(now)
	require.GreaterOrEqual(t, pause, foldAgain)
	now = now.Add(pause)
	f.followSettings(t.Context(), &done, now)
	require.Greater(t, done.tries.at.Sub(now), pause, "each pause is longer than the one before")
	_, err = db.Exec(t.Context(), `ALTER TABLE reading_room RENAME TO reading_space`)
	require.NoError(t, err)
	f.followSettings(t.Context(), &done, done.tries.at)
	require.LessOrEqual(t, chunksOf(t, db), whole/5)
}

func TestRetention_ThatHasNotChangedIsLeftAlone(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	f := startAged(t, db)
	var done followed
	f.followSettings(t.Context(), &done, time.Now())
	left := chunksOf(t, db)
	f.now = func() time.Time { return time.Date(2026, 3, 20, 0, 0, 0, 0, time.UTC) }
	f.followSettings(t.Context(), &done, time.Now())
	require.Equal(t, left, chunksOf(t, db))
}
