package postgres_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"
	"go.uber.org/zap/zaptest"

	"telltale/config"
	"telltale/platform/health"
	"telltale/platform/postgres"
	"telltale/platform/postgres/pgtest"
)

func TestModule_ConnectsAndClosesWithTheProgram(t *testing.T) {
	t.Parallel()
	var db *postgres.DB
	var parts struct {
		fx.In
		Probes []health.Probe `group:"probes"`
	}
	app := fxtest.New(t, fx.Supply(config.Config{DB: pgtest.Config(t)}, zaptest.NewLogger(t)), fx.Provide(pgtest.Sample), postgres.Module, fx.Populate(&db, &parts))
	app.RequireStart()
	awaitReady(t, db)
	require.Len(t, parts.Probes, 1)
	require.Equal(t, "database", parts.Probes[0].Name)
	_, err := parts.Probes[0].Check()
	require.NoError(t, err)

	app.RequireStop()
	_, err = db.Exec(context.Background(), "SELECT 1")
	require.Error(t, err)
}

func TestModule_AnEmbeddedDatabaseIsStartedAndStoppedWithItsConnections(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("-short: what takes PostgreSQL is not tested")
	}
	db := postgres.New(config.DB{MinConnections: 1, MaxConnections: 2, ConnectionTimeout: patience, IdleTimeout: patience}, t.TempDir(), pgtest.Sample(), nil)
	require.NoError(t, db.Start(context.Background()))
	defer stop(t, db)
	awaitReady(t, db)
	_, err := db.Exec(context.Background(), "SELECT id FROM devices")
	require.NoError(t, err)
}
