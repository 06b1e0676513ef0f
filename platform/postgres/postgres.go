// Package postgres connects Telltale to its database: a bounded pool that survives outages of the database, transactions, the
// running of migrations, a listener for notifications, and what each SQLSTATE means for a request and for the log. Package embedded
// runs a server where none is configured.
//
// It knows no table: statements are in the modules' stores, and the schema is handed to it.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/zap"

	"telltale/config"
	"telltale/platform/postgres/embedded"
)

// DB is the database. Statements are refused with an Unavailable fault while there is no connection; nothing has to be
// restarted when the database comes back. All methods except Start and Stop are safe for concurrent use.
type DB struct {
	cfg    config.DB
	schema *Schema
	log    *zap.Logger
	server *embedded.Server // nil with a database of the user's own

	ready  chan struct{}
	pool   atomic.Pointer[pgxpool.Pool] // nil until connected and migrated for the first time, and after Stop
	status atomic.Pointer[status]
	doubt  chan struct{} // holds one token: a statement has failed in a way that makes a check worthwhile
	warmup time.Duration // how long the start waits for the minimum of connections
	era    eras
	open   sockets
	// refused says that a session has refused to write since the last check.
	refused atomic.Bool

	cancel   context.CancelFunc
	watching sync.WaitGroup
}

// New returns a database that is not connected yet, and is brought up to the schema when it is. With an empty cfg.Host it runs a server of its own under dataDir.
func New(cfg config.DB, dataDir string, schema *Schema, log *zap.Logger) *DB {
	if log == nil {
		log = zap.NewNop()
	}
	db := &DB{
		cfg:    cfg,
		schema: schema,
		log:    log,
		ready:  make(chan struct{}),
		doubt:  make(chan struct{}, 1), warmup: warmupTimeout,
	}
	db.status.Store(&status{state: stateConnecting, since: time.Now()})
	db.era.begin()
	if cfg.Embedded() {
		db.server = embedded.New(embedded.Options{Dir: dataDir, MaxConnections: cfg.MaxConnections, Log: log})
	}
	return db
}

// Start starts the embedded server, if that is wanted, and begins to connect. It does not wait for the connection, so a
// database that cannot be reached is no error here; Ready tells when it has been. Errors are those of a configuration
// that cannot be meant and of the embedded server.
func (db *DB) Start(ctx context.Context) error {
	if db.server != nil {
		if err := db.server.Start(ctx); err != nil {
			return fmt.Errorf("start the embedded database: %w", err)
		}
		db.cfg = db.server.Config(db.cfg)
	}
	if _, err := ConnConfig(db.cfg); err != nil {
		return errors.Join(err, db.stopServer(ctx))
	}
	background, cancel := context.WithCancel(context.WithoutCancel(ctx))
	db.cancel = cancel
	db.watching.Go(func() { db.supervise(background) })
	return nil
}

// Stop ends the background work, closes the pool once the connections in use have been returned, and stops the embedded
// server last. Connections that are not returned within half of the time that ctx leaves are cut.
func (db *DB) Stop(ctx context.Context) error {
	if db.cancel == nil {
		return nil
	}
	db.cancel()
	db.era.end()
	db.watching.Wait()
	db.cancel = nil
	db.transition(stateClosed, nil)
	err := db.closePool(ctx)
	db.log.Info("database connections closed", zap.Error(err))
	return errors.Join(err, db.stopServer(ctx))
}

// Ready returns a channel that is closed once the database has been connected and migrated for the first time.
func (db *DB) Ready() <-chan struct{} { return db.ready }

func (db *DB) closePool(ctx context.Context) error {
	pool := db.pool.Swap(nil)
	if pool == nil {
		return nil
	}
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		pool.Close()
	}()
	patience := 5 * time.Second
	if deadline, ok := ctx.Deadline(); ok {
		patience = time.Until(deadline) / 2
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-closed:
		return nil
	case <-timer.C:
	}
	inUse := pool.Stat().AcquiredConns()
	db.open.end()
	timer.Reset(max(patience/2, partingLimit))
	select {
	case <-closed:
		return nil
	case <-timer.C:
		return fmt.Errorf("close the pool: %d connections are still in use", inUse)
	}
}

func (db *DB) stopServer(ctx context.Context) error {
	if db.server == nil {
		return nil
	}
	return db.server.Stop(ctx)
}
