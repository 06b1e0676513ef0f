package postgres

import (
	"context"
	"errors"
	"fmt"
	"path"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"telltale/config"
)

// migrationLock is the advisory lock that a migration holds: "telltale" in ASCII.
const migrationLock = 0x74656c6c74616c65

// Migration is one step of the schema that has been taken.
type Migration struct {
	Version  int64
	Name     string
	Duration time.Duration
}

// Migrate brings the database that cfg names up to the schema and returns the steps it took, none when nothing
// was to be done. Instances that start together may all call it: one works, the others wait for it. A database that a
// newer Telltale has migrated is an error, and so is a server that stops answering meanwhile. Cfg must name a server: see Config
// of package embedded for that one's.
func Migrate(ctx context.Context, cfg config.DB, schema *Schema) ([]Migration, error) {
	db := New(cfg, "", schema, nil)
	_, done, err := db.migrate(ctx)
	return done, err
}

// migrate returns the server's version and the steps taken.
func (db *DB) migrate(ctx context.Context) (version string, done []Migration, err error) {
	bounded, cancel := context.WithTimeout(ctx, db.cfg.ConnectionTimeout+db.Limit())
	defer cancel()
	conn, err := db.connectBeside(bounded)
	if err != nil {
		return "", nil, fmt.Errorf("connect to migrate: %w", err)
	}
	defer closeConn(conn)
	if version, err = serverVersion(conn); err != nil {
		return "", nil, err
	}
	provider, close, err := db.migrations()
	if err != nil {
		return "", nil, fmt.Errorf("read the migrations: %w", err)
	}
	defer func() { _ = close() }()
	sources := provider.ListSources()
	target := sources[len(sources)-1].Version
	if current, err := checkVersion(bounded, conn, target); err != nil || current == target {
		return version, nil, err
	}
	err = db.whileAnswering(ctx, func(ctx context.Context) (err error) {
		done, err = migrateLocked(ctx, conn, provider, target)
		return err
	})
	return version, done, err
}

// migrations returns goose, which opens connections of its own when it needs them, not here. They must be closed.
func (db *DB) migrations() (provider *goose.Provider, close func() error, err error) {
	cc, err := ConnConfig(db.cfg)
	if err != nil {
		return nil, nil, err
	}
	track := func(_ context.Context, cc *pgx.ConnConfig) error {
		db.open.track(cc)
		return nil
	}
	pool := stdlib.OpenDB(*cc, stdlib.OptionBeforeConnect(track))
	provider, err = goose.NewProvider(goose.DialectPostgres, pool, db.schema, goose.WithDisableGlobalRegistry(true))
	return provider, pool.Close, err
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
	defer func() {
		cleanup, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
		defer cancel()
		_ = tx.Rollback(cleanup)
	}()
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
