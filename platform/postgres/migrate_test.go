package postgres_test

import (
	"context"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"telltale/platform/postgres"
	"telltale/platform/postgres/pgtest"
)

func TestMigrate_DoesNothingAgain(t *testing.T) {
	t.Parallel()
	cfg := pgtest.Config(t)
	done, err := postgres.Migrate(context.Background(), cfg, pgtest.Sample())
	require.NoError(t, err)
	require.NotEmpty(t, done)
	require.EqualValues(t, 1, done[0].Version)
	require.Equal(t, "0001_initial.sql", done[0].Name)

	done, err = postgres.Migrate(context.Background(), cfg, pgtest.Sample())
	require.NoError(t, err)
	require.Empty(t, done)
}

func TestMigrate_InstancesThatStartTogetherMigrateOnce(t *testing.T) {
	t.Parallel()
	cfg := pgtest.Config(t)
	const instances = 6
	var steps [instances][]postgres.Migration
	var errs [instances]error
	var together sync.WaitGroup
	for i := range instances {
		together.Go(func() { steps[i], errs[i] = postgres.Migrate(context.Background(), cfg, pgtest.Sample()) })
	}
	together.Wait()
	workers := 0
	for i := range instances {
		require.NoError(t, errs[i])
		if len(steps[i]) > 0 {
			workers++
		}
	}
	require.Equal(t, 1, workers)
}

func TestMigrate_ADatabaseOfANewerTelltaleIsRefused(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	cfg := pgtest.Config(t)
	db := pgtest.Open(t, cfg)
	_, err := db.Exec(ctx, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (999999, true)")
	require.NoError(t, err)
	_, err = postgres.Migrate(ctx, cfg, pgtest.Sample())
	require.ErrorContains(t, err, "version 999999")
	require.ErrorContains(t, err, "newer telltale")

	old, log := open(t, cfg)
	log.await("cannot be used yet")
	require.Contains(t, log.String(), "newer telltale")
	select {
	case <-old.Ready():
		require.Fail(t, "a database of another version must not be used")
	default:
	}
}

func TestMigrate_NothingIsMigratedWhileAnotherInstanceHoldsTheLock(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	cfg := pgtest.Config(t)
	cc, err := postgres.ConnConfig(cfg)
	require.NoError(t, err)
	other, err := pgx.ConnectConfig(ctx, cc)
	require.NoError(t, err)
	defer other.Close(ctx)
	tx, err := other.Begin(ctx)
	require.NoError(t, err)
	_, err = tx.Exec(ctx, "SELECT pg_advisory_xact_lock(x'74656c6c74616c65'::bigint)")
	require.NoError(t, err)

	done := make(chan error, 1)
	go func() {
		_, err := postgres.Migrate(ctx, cfg, pgtest.Sample())
		done <- err
	}()
	require.Eventually(t, func() bool {
		var waiting bool
		require.NoError(t, tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database "+
			"WHERE d.datname = current_database() AND l.locktype = 'advisory' AND NOT l.granted)").Scan(&waiting))
		return waiting
	}, patience, patience/1000)
	var exists bool
	require.NoError(t, tx.QueryRow(ctx, "SELECT to_regclass('devices') IS NOT NULL").Scan(&exists))
	require.False(t, exists)
	require.NoError(t, tx.Commit(ctx))
	require.NoError(t, <-done)
}
