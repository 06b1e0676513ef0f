package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"telltale/config"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// migrationLock is the advisory lock of whoever migrates: "telltale" in ASCII.
const migrationLock = 0x74656c6c74616c65

// Migration is one step of the schema that has been taken.
type Migration struct {
	Version  int64
	Name     string
	Duration time.Duration
}

// Migrate brings the schema of the database that cfg names up to date and returns the steps it took, none when nothing
// was to be done. Instances that start together may all call it: one works, the others wait for it. A database that a
// newer Telltale has migrated is an error. Cfg must name a server: see Config of package embedded for that one's.
func Migrate(ctx context.Context, cfg config.DB) ([]Migration, error) {
	cc, err := ConnConfig(cfg)
	if err != nil {
		return nil, err
	}
	conn, err := pgx.ConnectConfig(ctx, cc)
	if err != nil {
		return nil, fmt.Errorf("connect to migrate: %w", err)
	}
	defer closeConn(conn)
	return migrate(ctx, conn)
}

// migrate uses conn for the lock, and opens another connection only when there is something to do.
func migrate(ctx context.Context, conn *pgx.Conn) ([]Migration, error) {
	files, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		return nil, fmt.Errorf("read the migrations: %w", err)
	}
	// Goose opens its connections when it needs them, not here.
	db := stdlib.OpenDB(*conn.Config())
	defer db.Close()
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return nil, fmt.Errorf("read the migrations: %w", err)
	}
	sources := provider.ListSources()
	target := sources[len(sources)-1].Version
	if current, err := checkVersion(ctx, conn, target); err != nil || current == target {
		return nil, err
	}
	return migrateLocked(ctx, conn, provider, target)
}

// checkVersion returns the version of the schema, 0 when there is none yet.
func checkVersion(ctx context.Context, conn *pgx.Conn, target int64) (int64, error) {
	var exists bool
	if err := conn.QueryRow(ctx, "SELECT to_regclass('goose_db_version') IS NOT NULL").Scan(&exists); err != nil || !exists {
		return 0, wrap("read the version of the schema", err)
	}
	var current int64
	if err := conn.QueryRow(ctx, "SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied").Scan(&current); err != nil {
		return 0, wrap("read the version of the schema", err)
	}
	if current > target {
		return 0, fmt.Errorf("the database has version %d of the schema and this telltale knows versions up to %d: start the newer telltale that migrated it", current, target)
	}
	return current, nil
}

// migrateLocked holds the lock by a transaction rather than a session, because a session's would be lost in a pooler that
// changes connections between transactions.
func migrateLocked(ctx context.Context, conn *pgx.Conn, provider *goose.Provider, target int64) (done []Migration, err error) {
	tx, err := conn.Begin(ctx)
	if err != nil {
		return nil, wrap("lock the schema", err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	// A server's own timeouts must not end the transaction while it waits.
	const patience = "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0"
	if _, err := tx.Exec(ctx, patience); err != nil {
		return nil, wrap("lock the schema", err)
	}
	if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", int64(migrationLock)); err != nil {
		return nil, wrap("lock the schema", err)
	}
	// Another instance may have done everything meanwhile.
	if current, err := checkVersion(ctx, tx.Conn(), target); err != nil || current == target {
		return nil, err
	}
	results, err := provider.Up(ctx)
	if partial, ok := errors.AsType[*goose.PartialError](err); ok {
		results = partial.Applied
	}
	for _, r := range results {
		done = append(done, Migration{Version: r.Source.Version, Name: path.Base(r.Source.Path), Duration: r.Duration})
	}
	return done, wrap("migrate the database", err)
}

func wrap(attempt string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", attempt, err)
}

// closeConn closes a connection without waiting long for a server that does not answer.
func closeConn(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = conn.Close(ctx)
}
