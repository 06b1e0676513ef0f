package pgtest_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"telltale/platform/postgres/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m, pgtest.Sample()) }

func TestNew_EveryTestHasADatabaseOfItsOwn(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	a, b := pgtest.New(t), pgtest.New(t)
	_, err := a.Exec(ctx, "INSERT INTO devices (id) VALUES ('only here')")
	require.NoError(t, err)
	var n int
	require.NoError(t, b.QueryRow(ctx, "SELECT count(*) FROM devices").Scan(&n))
	require.Zero(t, n)
}

func TestNew_AnEmptyDatabaseIsMigratedByTheProgramThatOpensIt(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	cfg := pgtest.Config(t)
	first, second := pgtest.Open(t, cfg), pgtest.Open(t, cfg)
	_, err := first.Exec(ctx, "INSERT INTO devices (id) VALUES ('shared')")
	require.NoError(t, err)
	var id string
	require.NoError(t, second.QueryRow(ctx, "SELECT id FROM devices").Scan(&id))
	require.Equal(t, "shared", id)
}
