package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
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
		began := time.Now()
		err := db.ping(ctx)
		if ctx.Err() != nil {
			return
		}
		if db.open.heardSince(began) {
			err = nil // whatever went wrong, the server answers
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
		if !db.awaitReturn(ctx) {
			return
		}
	}
}

// connect tries until it has a migrated database and a pool. It returns false when ctx ended first.
func (db *DB) connect(ctx context.Context) bool {
	return insist(ctx, func() error {
		err := db.firstContact(ctx)
		if err != nil && ctx.Err() == nil {
			old := db.status.Load().err
			db.transition(stateConnecting, err)
			if old == nil || isOutage(old) != isOutage(err) {
				db.log.Warn("the database cannot be used yet, trying on", zap.String("host", db.cfg.Host), zap.Int("port", db.cfg.Port), zap.Error(err))
			}
		}
		return err
	})
}

func (db *DB) firstContact(ctx context.Context) error {
	pc, err := poolConfig(db.cfg)
	if err != nil {
		return err
	}
	version, done, err := db.migrate(ctx)
	for _, m := range done {
		db.log.Info("schema migrated", zap.Int64("version", m.Version), zap.String("migration", m.Name), zap.Duration("duration_ms", m.Duration))
	}
	if err != nil {
		return err
	}
	pc.BeforeConnect = func(_ context.Context, cc *pgx.ConnConfig) error {
		db.open.track(cc)
		return nil
	}
	pool, warm, err := openPool(ctx, pc)
	if err != nil {
		return err
	}
	db.awaitWarm(ctx, warm)
	db.pool.Store(pool)
	db.status.Store(&status{state: stateConnected, since: time.Now(), version: version})
	_ = db.ping(ctx) // so that the database is not called writable before that is known; errors are the next check's
	db.log.Info("database connected", zap.String("host", db.cfg.Host), zap.Int("port", db.cfg.Port), zap.String("database", db.cfg.Database),
		zap.String("version", version), zap.Int32("connections", pool.Stat().TotalConns()))
	return nil
}

// openPool opens the pool, which at once begins to open its minimum of connections, and returns a channel that gets a
// value for each of them.
func openPool(ctx context.Context, pc *pgxpool.Config) (*pgxpool.Pool, <-chan struct{}, error) {
	opened := make(chan struct{}, pc.MaxConns)
	pc.AfterConnect = func(_ context.Context, conn *pgx.Conn) error {
		codeNumbersAtOnce(conn.TypeMap())
		select {
		case opened <- struct{}{}:
		default: // awaitWarm has returned
		}
		return nil
	}
	pool, err := pgxpool.NewWithConfig(ctx, pc)
	return pool, opened, wrap("open the pool", err)
}

// awaitWarm waits until the minimum of connections is open. A server that grants fewer delays the start only
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

// lose notes that the database is away. Every connection is cut: those who wait for an answer, for a connection or for a
// parting learn at once that there is none.
func (db *DB) lose(err error) {
	db.transition(stateLost, err)
	db.log.Error("database connection lost", zap.Error(err))
	db.era.end()
	db.open.cut()
	if pool := db.pool.Load(); pool != nil {
		pool.Reset()
	}
}

// awaitReturn tries until the database answers again. It returns false when ctx ended first.
func (db *DB) awaitReturn(ctx context.Context) bool {
	since := db.status.Load().since
	ok := insist(ctx, func() error {
		err := db.pingAnew(ctx)
		if err != nil && ctx.Err() == nil {
			db.transition(stateLost, err)
		}
		return err
	})
	if ok {
		db.era.begin()
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
	refused := db.refused.Swap(false)
	if pool.Stat().IdleConns() > 0 && !refused && db.status.Load().readOnly == "" {
		bounded, cancel := context.WithTimeout(ctx, checkTimeout/4)
		defer cancel()
		if db.look(bounded, pool) == nil {
			return nil
		}
	}
	if refused {
		defer pool.Reset() // some sessions may be read-only while new ones are not, or the other way round
	}
	return db.pingAnew(ctx)
}

// pingAnew asks for a sign of life over a new connection. A refusal for want of free ones is such a sign.
func (db *DB) pingAnew(ctx context.Context) error {
	bounded, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	conn, err := db.connectBeside(bounded)
	if Is(err, tooManyConnections) {
		return nil
	}
	if err != nil {
		return err
	}
	defer closeConn(conn)
	return db.look(bounded, conn)
}

const askWritable = `SELECT CASE WHEN pg_is_in_recovery() THEN 'it is a standby'
	WHEN current_setting('transaction_read_only')::boolean THEN 'it is set to read-only' ELSE '' END`

// look asks a session whether it could write, and notes the answer.
func (db *DB) look(ctx context.Context, session interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
},
) error {
	var why string
	if err := session.QueryRow(ctx, askWritable, pgx.QueryExecModeSimpleProtocol).Scan(&why); err != nil {
		return err
	}
	db.noteReadOnly(why)
	return nil
}

// connectBeside opens a connection outside of the pool. It is cut with those of the pool.
func (db *DB) connectBeside(ctx context.Context) (*pgx.Conn, error) {
	cc, err := ConnConfig(db.cfg)
	if err != nil {
		return nil, err
	}
	db.open.track(cc)
	return pgx.ConnectConfig(ctx, cc)
}

// errSilent is the cause of the end of work that the server has stopped answering.
var errSilent = errors.New("the database has stopped answering")

// whileAnswering runs work that may take as long as it needs, and ends its context when the server no longer answers others.
func (db *DB) whileAnswering(ctx context.Context, work func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	var watching sync.WaitGroup
	watching.Go(func() {
		for failures := 0; failures < lossAfter; {
			if retry.Pause(ctx, checkInterval) != nil {
				return
			}
			if began := time.Now(); db.pingAnew(ctx) == nil || db.open.heardSince(began) {
				failures = 0
				continue
			}
			failures++
		}
		cancel(errSilent)
	})
	err := work(ctx)
	if cause := context.Cause(ctx); err != nil && errors.Is(cause, errSilent) {
		err = errors.Join(cause, err)
	}
	cancel(nil)
	watching.Wait()
	return err
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
