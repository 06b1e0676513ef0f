package postgres_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"telltale/platform/fault"
	"telltale/platform/postgres"
	"telltale/platform/postgres/pgtest"
)

func TestSupervisor_ADatabaseThatIsAwayAtStartAndLaterAgainIsFoundByItself(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	m := newMachine(t)
	m.stop()

	db, log := open(t, m.cfg)
	log.await("cannot be used yet")
	_, err := db.Exec(ctx, "SELECT 1")
	require.Equal(t, fault.Unavailable, fault.KindOf(err), "%v", err)
	_, err = db.Probe().Check()
	require.ErrorContains(t, err, "connecting")

	m.start()
	log.await("database connected")
	awaitReady(t, db)
	_, err = db.Exec(ctx, "INSERT INTO devices (id) VALUES ('a')")
	require.NoError(t, err)

	for range 2 {
		m.stop()
		log.await("connection lost")
		_, err = db.Exec(ctx, "SELECT 1")
		require.Equal(t, fault.Unavailable, fault.KindOf(err), "%v", err)
		detail, err := db.Probe().Check()
		require.ErrorContains(t, err, "lost")
		require.Equal(t, "lost", detail["state"])

		m.start()
		log.await("connection recovered")
		_, err = db.Exec(ctx, "SELECT id FROM devices")
		require.NoError(t, err)
		_, err = db.Probe().Check()
		require.NoError(t, err)
	}
	require.Equal(t, 1, log.count("cannot be used yet"), log)
	require.Equal(t, 2, log.count("connection lost"), log)
	require.Equal(t, 2, log.count("connection recovered"), log)
	require.NotContains(t, log.String(), m.cfg.Password)
}

func TestSupervisor_StatementsAreRefusedUntilThereIsAConnection(t *testing.T) {
	t.Parallel()
	cfg := pgtest.Config(t)
	cfg.Password, cfg.Username = "not the password at all", "nobody-known"
	db, log := open(t, cfg)
	log.await("cannot be used yet")
	_, err := db.Exec(context.Background(), "SELECT 1")
	require.Equal(t, fault.Unavailable, fault.KindOf(err))
	detail, err := db.Probe().Check()
	require.Error(t, err)
	require.Contains(t, []any{"SQLSTATE 28P01", "SQLSTATE 28000"}, detail["error"]) // the latter where passwords are not asked for
	require.NotContains(t, log.String(), "not the password at all")
}

func TestSupervisor_TheEnvironmentOfOtherProgramsDoesNotChangeHowWeConnect(t *testing.T) {
	t.Setenv("PGOPTIONS", "-c statement_timeout=1")
	t.Setenv("PGAPPNAME", "somebody else")
	t.Setenv("PGUSER", "somebody")
	t.Setenv("PGPASSWORD", "else")
	cfg := pgtest.Config(t)
	cfg.Password = `it's a "secret" with \ and %20`
	cfg.Database = `quo'ted \ name`
	cc, err := postgres.ConnConfig(cfg)
	require.NoError(t, err)
	require.Equal(t, map[string]string{"application_name": "telltale"}, cc.RuntimeParams)
	require.Equal(t, cfg.Password, cc.Password)
	require.Equal(t, cfg.Database, cc.Database)
	require.Equal(t, cfg.Username, cc.User)
	require.NotContains(t, cc.ConnString(), "secret")
}
