package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"telltale/config"
	"telltale/platform/postgres"
	"telltale/platform/postgres/embedded"
)

// patience bounds everything that is waited for.
const patience = 2 * time.Minute

// shared is what the benchmarks of a run share: a folder, the PostgreSQL in it, and the program's binary.
var shared environment

type environment struct {
	dir       string
	server    *embedded.Server
	databases int
	binary    string
}

// folder returns the folder that everything of this run lives in.
func (e *environment) folder(b testing.TB) string {
	b.Helper()
	if e.dir == "" {
		dir, err := os.MkdirTemp("", "telltale-bench-")
		require.NoError(b, err)
		e.dir = dir
	}
	return e.dir
}

// database makes an empty database on the durable server and returns the settings of a connection to it.
func (e *environment) database(b testing.TB) config.DB {
	b.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if e.server == nil {
		server := embedded.New(embedded.Options{Dir: filepath.Join(e.folder(b), "server"), MaxConnections: 100})
		require.NoError(b, server.Start(ctx))
		e.server = server
	}
	cfg := e.server.Config(config.DB{ConnectionTimeout: patience})
	e.databases++
	name := fmt.Sprintf("bench_%d", e.databases)
	conn := connect(b, cfg)
	defer conn.Close(ctx)
	_, err := conn.Exec(ctx, "CREATE DATABASE "+name)
	require.NoError(b, err)
	cfg.Database = name
	return cfg
}

func (e *environment) close() error {
	var errs []error
	if e.server != nil {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		errs = append(errs, e.server.Stop(ctx))
	}
	if e.dir != "" {
		errs = append(errs, os.RemoveAll(e.dir))
	}
	return errors.Join(errs...)
}

// connect opens a connection of its own for a baseline. The caller closes it.
func connect(b testing.TB, cfg config.DB) *pgx.Conn {
	b.Helper()
	cc, err := postgres.ConnConfig(cfg)
	require.NoError(b, err)
	conn, err := pgx.ConnectConfig(context.Background(), cc)
	require.NoError(b, err)
	return conn
}

// connectAll opens as many connections as wanted and closes them when the benchmark ends.
func connectAll(b testing.TB, cfg config.DB, n int) []*pgx.Conn {
	b.Helper()
	conns := make([]*pgx.Conn, n)
	for i := range conns {
		conns[i] = connect(b, cfg)
		b.Cleanup(func() { _ = conns[i].Close(context.Background()) })
	}
	return conns
}

// number returns the one number that a query answers.
func number(b testing.TB, conn *pgx.Conn, query string) (n int64) {
	b.Helper()
	require.NoError(b, conn.QueryRow(context.Background(), query).Scan(&n))
	return n
}

// execute runs a statement.
func execute(b testing.TB, conn *pgx.Conn, statement string) {
	b.Helper()
	_, err := conn.Exec(context.Background(), statement)
	require.NoError(b, err)
}

// createPlain is the table of the baselines: a row a reading, as small and as fast as rows get.
const createPlain = `CREATE TABLE plain (series integer, ts timestamptz, value float8, PRIMARY KEY (series, ts))`
