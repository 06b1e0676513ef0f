package postgres

import (
	"context"
	"fmt"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"telltale/config"
	"telltale/platform/silence"
)

// keepAlive lets the kernel notice within half a minute that the other side of a silent connection has gone.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3}

// pingLimit is how long a connection that was idle may take to show that it still lives, before another one is tried.
const pingLimit = 2 * time.Second

// silenceLimit is how long a statement under way waits for a server that acknowledges nothing, as one whose machine has
// vanished.
const silenceLimit = time.Minute

// ConnConfig translates settings for a connection outside of the pool. The only startup parameter is the application's
// name: poolers refuse most others.
func ConnConfig(cfg config.DB) (*pgx.ConnConfig, error) {
	pool, err := poolConfig(cfg)
	if err != nil {
		return nil, err
	}
	return pool.ConnConfig, nil
}

func poolConfig(cfg config.DB) (*pgxpool.Config, error) {
	pc, err := pgxpool.ParseConfig(fmt.Sprintf("host=%s port=%d user=%s dbname=%s sslmode=%s",
		quote(cfg.Host), cfg.Port, quote(cfg.Username), quote(cfg.Database), quote(orDefault(cfg.SSLMode, "prefer"))))
	if err != nil {
		return nil, fmt.Errorf("read the database settings: %w", err)
	}
	cc := pc.ConnConfig
	if cfg.Password != "" { // set here, not in the text above: errors may quote that
		cc.Password = cfg.Password
	}
	cc.ConnectTimeout = cfg.ConnectionTimeout
	cc.RuntimeParams = map[string]string{"application_name": "telltale"}
	cc.DialFunc = (&net.Dialer{KeepAliveConfig: keepAlive, Control: limitSilence}).DialContext
	cc.AfterConnect = settle(cfg)
	if !cfg.PreparedStatements {
		cc.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	}
	pc.MinConns, pc.MaxConns = int32(cfg.MinConnections), int32(cfg.MaxConnections)
	pc.MaxConnIdleTime = cfg.IdleTimeout
	pc.PingTimeout = pingLimit
	pc.MaxConnLifetimeJitter = pc.MaxConnLifetime / 6
	pc.HealthCheckPeriod = min(max(cfg.IdleTimeout/4, 100*time.Millisecond), 5*time.Second)
	return pc, nil
}

// settle returns what makes a new session what statements rely on, whatever the server's defaults are: appends need each
// statement to see what was committed before it, and a server that waits for the rest of a message from a machine which has
// vanished must not hold locks for two hours. Startup parameters would say the same, but poolers refuse them.
//
// A statement that waits for a lock is ended by the server before its own limit is over: the error says that it was a lock, and
// the connection stays.
//
// Every statement has one way to go, by a key, whatever its arguments are: once prepared, planning it again for them takes longer
// than most statements do. One that is not prepared is planned each time, and much sooner for its arguments, which say what
// partitions to leave out.
func settle(cfg config.DB) func(context.Context, *pgconn.PgConn) error {
	query := fmt.Sprintf(`SELECT set_config('default_transaction_isolation', 'read committed', false),
		set_config('tcp_keepalives_idle', '15', false), set_config('tcp_keepalives_interval', '5', false),
		set_config('tcp_keepalives_count', '3', false), set_config('lock_timeout', '%d', false)`, lockLimit(cfg).Milliseconds())
	if cfg.PreparedStatements {
		query += `, set_config('plan_cache_mode', 'force_generic_plan', false)`
	}
	return func(ctx context.Context, conn *pgconn.PgConn) error {
		ctx, cancel := context.WithTimeout(ctx, max(cfg.ConnectionTimeout, time.Second))
		defer cancel()
		return wrap("settle a new connection", conn.Exec(ctx, query).Close())
	}
}

// lockLimit is how long a statement waits for a lock: three quarters of what it may take.
func lockLimit(cfg config.DB) time.Duration { return statementLimit(cfg.StatementTimeout) * 3 / 4 }

func limitSilence(network, _ string, conn syscall.RawConn) error {
	if !strings.HasPrefix(network, "tcp") {
		return nil
	}
	return silence.Limit(conn, silenceLimit)
}

func quote(value string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(value) + "'"
}

func orDefault(value, fallback string) string {
	if value == "" {
		return fallback
	}
	return value
}
