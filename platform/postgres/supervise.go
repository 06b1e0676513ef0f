package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/zap"

	"telltale/platform/retry"
)

const (
	minMajorVersion = 12
	firstBackoff    = 50 * time.Millisecond
	maxBackoff      = 2 * time.Second
	checkInterval   = time.Second
	checkTimeout    = 2 * time.Second
	warmupTimeout   = time.Second
	// lossAfter is how many checks in a row have to run into their timeout before slow is taken for lost.
	lossAfter = 3
)

// supervise connects, migrates, opens the pool, and from then on keeps the status true until ctx ends.
func (db *DB) supervise(ctx context.Context) {
	if !db.connect(ctx) {
		return
	}
	close(db.ready)
	ticker := time.NewTicker(checkInterval)
	defer ticker.Stop()
	timeouts := 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-db.doubt:
		}
		err := db.ping(ctx)
		if ctx.Err() != nil {
			return
		}
		if classify(err) == timedOut {
			if timeouts++; timeouts < lossAfter {
				continue
			}
		}
		timeouts = 0
		if err == nil {
			continue
		}
		db.lose(err)
		if !db.recover(ctx) {
			return
		}
	}
}

// connect tries until it has a migrated database and a pool. It returns false when ctx ended first.
func (db *DB) connect(ctx context.Context) bool {
	return insist(ctx, func() error {
		err := db.firstContact(ctx)
		if err != nil && ctx.Err() == nil {
			if old := db.status.Load().err; old == nil || isOutage(old) != isOutage(err) {
				db.log.Warn("the database cannot be used yet, trying on", zap.String("host", db.cfg.Host), zap.Int("port", db.cfg.Port), zap.Error(err))
			}
			db.transition(stateConnecting, err)
		}
		return err
	})
}

func (db *DB) firstContact(ctx context.Context) error {
	pc, err := poolConfig(db.cfg)
	if err != nil {
		return err
	}
	conn, err := pgx.ConnectConfig(ctx, pc.ConnConfig)
	if err != nil {
		return err
	}
	defer closeConn(conn)
	version, err := serverVersion(conn)
	if err != nil {
		return err
	}
	done, err := migrate(ctx, conn)
	for _, m := range done {
		db.log.Info("schema migrated", zap.Int64("version", m.Version), zap.String("migration", m.Name), zap.Duration("duration_ms", m.Duration))
	}
	if err != nil {
		return err
	}
	pool, warm, err := openPool(ctx, pc)
	if err != nil {
		return err
	}
	db.awaitWarm(ctx, warm)
	db.pool.Store(pool)
	db.status.Store(&status{state: stateConnected, since: time.Now(), version: version})
	db.log.Info("database connected", zap.String("host", db.cfg.Host), zap.Int("port", db.cfg.Port), zap.String("database", db.cfg.Database),
		zap.String("version", version), zap.Int32("connections", pool.Stat().TotalConns()))
	return nil
}

// openPool opens the pool, which at once begins to open its minimum of connections, and returns a channel that gets a
// value for each of them.
func openPool(ctx context.Context, pc *pgxpool.Config) (*pgxpool.Pool, <-chan struct{}, error) {
	opened := make(chan struct{}, pc.MaxConns)
	pc.AfterConnect = func(_ context.Context, conn *pgx.Conn) error {
		encodeNumbersAtOnce(conn.TypeMap())
		select {
		case opened <- struct{}{}:
		default: // nobody counts any longer
		}
		return nil
	}
	pool, err := pgxpool.NewWithConfig(ctx, pc)
	return pool, opened, wrap("open the pool", err)
}

// awaitWarm waits until the minimum of connections is open. A server that does not grant so many delays the start only
// for a moment: the pool itself keeps trying.
func (db *DB) awaitWarm(ctx context.Context, opened <-chan struct{}) {
	timeout := time.NewTimer(db.warmup)
	defer timeout.Stop()
	for n := range db.cfg.MinConnections {
		select {
		case <-opened:
		case <-ctx.Done():
			return
		case <-timeout.C:
			db.log.Warn("the database has not granted the minimum of connections yet", zap.Int("opened", n), zap.Int("minimum", db.cfg.MinConnections))
			return
		}
	}
}

// serverVersion returns the server's version, an error when it is too old.
func serverVersion(conn *pgx.Conn) (string, error) {
	version := conn.PgConn().ParameterStatus("server_version")
	major, err := strconv.Atoi(strings.FieldsFunc(version+" ", func(r rune) bool { return r < '0' || r > '9' })[0])
	if err == nil && major < minMajorVersion {
		return "", fmt.Errorf("the server is PostgreSQL %s: telltale needs version %d or later", version, minMajorVersion)
	}
	return version, nil
}

// lose notes that the database is away. The idle connections are dropped at once, rather than each by the statement that
// finds it dead.
func (db *DB) lose(err error) {
	db.transition(stateLost, err)
	db.log.Error("database connection lost", zap.Error(err))
	if pool := db.pool.Load(); pool != nil {
		pool.Reset()
	}
}

// recover tries until the database answers again. It returns false when ctx ended first.
func (db *DB) recover(ctx context.Context) bool {
	since := db.status.Load().since
	ok := insist(ctx, func() error {
		err := db.pingAnew(ctx)
		if err != nil && ctx.Err() == nil {
			db.transition(stateLost, err)
		}
		return err
	})
	if ok {
		db.transition(stateConnected, nil)
		db.log.Info("database connection recovered", zap.Duration("lost_ms", time.Since(since)))
	}
	return ok
}

// ping asks the server for a sign of life: over an idle connection of the pool if there is one. A pool whose connections
// are all in use is busy, not lost, so it is not waited for.
func (db *DB) ping(ctx context.Context) error {
	pool := db.pool.Load()
	if pool == nil {
		return nil
	}
	if pool.Stat().IdleConns() > 0 {
		bounded, cancel := context.WithTimeout(ctx, checkTimeout/4)
		defer cancel()
		if pool.Ping(bounded) == nil {
			return nil
		}
	}
	return db.pingAnew(ctx)
}

// pingAnew asks for a sign of life over a new connection. A refusal for want of free ones is such a sign.
func (db *DB) pingAnew(ctx context.Context) error {
	cc, err := ConnConfig(db.cfg)
	if err != nil {
		return err
	}
	bounded, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	conn, err := pgx.ConnectConfig(bounded, cc)
	if pgErr, ok := errors.AsType[*pgconn.PgError](err); ok && pgErr.Code == "53300" {
		return nil
	}
	if err != nil {
		return err
	}
	closeConn(conn)
	return nil
}

// insist calls attempt with growing pauses until it returns nil, and then returns true; false when ctx ended first.
func insist(ctx context.Context, attempt func() error) bool {
	pause := firstBackoff
	for {
		if attempt() == nil {
			return true
		}
		if retry.Pause(ctx, pause) != nil {
			return false
		}
		pause = min(2*pause, maxBackoff)
	}
}
