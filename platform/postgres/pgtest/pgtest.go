// Package pgtest gives tests databases of their own on a real PostgreSQL.
//
// A package that uses it has
//
//	func TestMain(m *testing.M) { pgtest.Main(m, schema.New()) }
//
// and needs nothing installed or running but PostgreSQL's programs: the first test that asks starts a server for the
// package, which ends with it. TEST_DATABASE_URL names a server to use instead; its user must be allowed to create
// databases. With -short every test that asks for a database is skipped.
package pgtest

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"

	"telltale/config"
	"telltale/platform/leak"
	"telltale/platform/postgres"
)

// timeout bounds each step of making a database ready or removing it.
const timeout = time.Minute

// schema is that of the databases of this test binary.
var schema *postgres.Schema

// Main runs the tests of a package, whose databases have the schema, removes everything that was made for them, looks for leaked goroutines, and exits.
// Packages that also serve HTTP pass httpservertest.IgnoreClock().
func Main(m *testing.M, wanted *postgres.Schema, ignore ...goleak.Option) {
	schema = wanted
	code := m.Run()
	if err := shared.close(); err != nil {
		fmt.Fprintln(os.Stderr, "pgtest:", err)
		code = max(code, 1)
	}
	leak.Exit(code, ignore...)
}

// New returns a migrated database that only t uses, connected and ready. It is stopped and dropped when t ends.
func New(t testing.TB) *postgres.DB {
	t.Helper()
	return start(t, create(t, true))
}

// Config returns the settings of an empty database that only t uses. It is dropped when t ends; whatever t connects to
// it has to be stopped before, by a Cleanup registered after this call.
func Config(t testing.TB) config.DB {
	t.Helper()
	return create(t, false)
}

// Open returns another connection to the database that cfg names, as a second instance of the program would have. It is
// ready, and stopped when t ends.
func Open(t testing.TB, cfg config.DB) *postgres.DB {
	t.Helper()
	return start(t, cfg)
}

// Connect returns one plain connection to the database that cfg names, without the limits of the program's own. It is closed when t
// ends.
func Connect(t testing.TB, cfg config.DB) *pgx.Conn {
	t.Helper()
	cc, err := postgres.ConnConfig(cfg)
	require.NoError(t, err)
	cc.AfterConnect = nil
	conn, err := pgx.ConnectConfig(t.Context(), cc)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func start(t testing.TB, cfg config.DB) *postgres.DB {
	db := postgres.New(cfg, t.TempDir(), schema, zaptest.NewLogger(t, zaptest.Level(zap.WarnLevel)))
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	require.NoError(t, db.Start(ctx))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), timeout)
		defer cancel()
		require.NoError(t, db.Stop(ctx))
	})
	select {
	case <-db.Ready():
	case <-ctx.Done():
		require.FailNow(t, "the test database did not become ready")
	}
	return db
}

var databases atomic.Int64

// create makes a database, migrated or empty, and returns settings with a small pool for it.
func create(t testing.TB, migrated bool) config.DB {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: what takes PostgreSQL is not tested")
	}
	s, err := shared.open()
	require.NoError(t, err, "start a server for the tests")
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	cfg := s.cfg
	cfg.Database = fmt.Sprintf("%s_%d", s.prefix, databases.Add(1))
	source := "template0"
	if migrated {
		source = s.template
	}
	require.NoError(t, s.create(ctx, cfg.Database, source))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), timeout)
		defer cancel()
		require.NoError(t, s.drop(ctx, cfg.Database))
	})
	return cfg
}
