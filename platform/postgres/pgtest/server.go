package pgtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"telltale/config"
	"telltale/platform/postgres"
	"telltale/platform/postgres/embedded"
)

// server is the server of a test binary, with the migrated database that others are copied from.
type server struct {
	cfg      config.DB // its database is the one to administrate from
	prefix   string    // of the names of all databases made here
	template string
	admin    *pgxpool.Pool

	dir      string           // "" with a server of the user's own
	embedded *embedded.Server // nil likewise
}

// shared is the server of this test binary, started when it is first needed.
var shared lazy

type lazy struct {
	mu     sync.Mutex
	server *server
	err    error
}

// open returns the server. When it could not be started, every later test learns the same without another attempt.
func (l *lazy) open() (*server, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.server == nil && l.err == nil {
		ctx, cancel := context.WithTimeout(context.Background(), timeout)
		defer cancel()
		s := &server{prefix: "telltale_test_" + strings.ToLower(rand.Text()[:8])}
		if l.err = s.start(ctx); l.err != nil {
			return nil, errors.Join(l.err, s.close())
		}
		l.server = s
	}
	return l.server, l.err
}

func (l *lazy) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.server == nil {
		return nil
	}
	return l.server.close()
}

func (s *server) start(ctx context.Context) (err error) {
	if address := os.Getenv("TEST_DATABASE_URL"); address != "" {
		s.cfg, err = configFromURL(address)
	} else {
		err = s.startEmbedded(ctx)
	}
	if err != nil {
		return err
	}
	if err := s.connectAdmin(ctx); err != nil {
		return err
	}
	if err := s.calm(ctx); err != nil {
		return err
	}
	s.template = s.prefix + "_template"
	if err := s.create(ctx, s.template, "template0"); err != nil {
		return err
	}
	cfg := s.cfg
	cfg.Database = s.template
	_, err = postgres.Migrate(ctx, cfg, schema)
	return err
}

func (s *server) startEmbedded(ctx context.Context) (err error) {
	removeLeftovers()
	if s.dir, err = os.MkdirTemp("", dirPrefix); err != nil {
		return err
	}
	s.embedded = embedded.New(embedded.Options{Dir: s.dir, MaxConnections: 500, Volatile: true})
	if err = s.embedded.Start(ctx); err != nil {
		return err
	}
	s.cfg = s.embedded.Config(pool)
	return nil
}

// pool are the limits of the pools that tests get: small, because many tests run at once.
var pool = config.DB{
	MinConnections:     0,
	MaxConnections:     8,
	ConnectionTimeout:  30 * time.Second,
	StatementTimeout:   30 * time.Second,
	IdleTimeout:        5 * time.Minute,
	PreparedStatements: true,
}

// configFromURL reads a postgres:// address. What pgx takes from it beyond our settings (certificates) it takes from the
// environment too, so it is not lost.
func configFromURL(address string) (config.DB, error) {
	parsed, err := pgx.ParseConfig(address)
	if err != nil {
		return config.DB{}, fmt.Errorf("read TEST_DATABASE_URL: %w", err)
	}
	cfg := pool
	cfg.Host, cfg.Port = parsed.Host, int(parsed.Port)
	cfg.Username, cfg.Password, cfg.Database = parsed.User, parsed.Password, parsed.Database
	cfg.SSLMode = "prefer"
	if u, err := url.Parse(address); err == nil && u.Query().Get("sslmode") != "" {
		cfg.SSLMode = u.Query().Get("sslmode")
	}
	return cfg, nil
}

func (s *server) connectAdmin(ctx context.Context) error {
	pc, err := pgxpool.ParseConfig("")
	if err != nil {
		return err
	}
	if pc.ConnConfig, err = postgres.ConnConfig(s.cfg); err != nil {
		return err
	}
	pc.MaxConns = 4
	s.admin, err = pgxpool.NewWithConfig(ctx, pc)
	return err
}

// calm keeps a server that is ours from vacuuming by itself, which would change now and then what tests measure.
func (s *server) calm(ctx context.Context) error {
	if s.embedded == nil {
		return nil
	}
	for _, statement := range []string{"ALTER SYSTEM SET autovacuum = off", "SELECT pg_reload_conf()"} {
		if _, err := s.admin.Exec(ctx, statement); err != nil {
			return fmt.Errorf("turn autovacuum off: %w", err)
		}
	}
	return nil
}

func (s *server) create(ctx context.Context, name, source string) error {
	err := s.execUnused(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize()+" TEMPLATE "+pgx.Identifier{source}.Sanitize())
	if err != nil {
		return fmt.Errorf("create a test database: %w", err)
	}
	return nil
}

// drop removes a database, also when a test has left connections to it.
func (s *server) drop(ctx context.Context, name string) error {
	if _, err := s.admin.Exec(ctx, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name); err != nil {
		return fmt.Errorf("drop a test database: %w", err)
	}
	if err := s.execUnused(ctx, "DROP DATABASE IF EXISTS "+pgx.Identifier{name}.Sanitize()); err != nil {
		return fmt.Errorf("drop a test database: %w", err)
	}
	return nil
}

// execUnused runs a statement during which no other session may be connected. PostgreSQL itself waits five seconds for connections
// that were closed to end, which a busy machine may exceed.
func (s *server) execUnused(ctx context.Context, statement string) error {
	for {
		_, err := s.admin.Exec(ctx, statement)
		if !postgres.Is(err, "55006") { // object_in_use
			return err
		}
	}
}

// close removes whatever start has made, as far as it came.
func (s *server) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	var errs []error
	if s.admin != nil {
		if s.embedded == nil && s.template != "" {
			errs = append(errs, s.drop(ctx, s.template))
		}
		s.admin.Close()
	}
	if s.embedded != nil {
		errs = append(errs, s.embedded.Stop(ctx))
	}
	if s.dir != "" {
		errs = append(errs, os.RemoveAll(s.dir))
	}
	return errors.Join(errs...)
}

const dirPrefix = "telltale-pgtest-"

// leftoverAge keeps removeLeftovers away from a test binary that has made its folder and not locked it yet.
const leftoverAge = 10 * time.Minute

// removeLeftovers removes the folders of test binaries that were killed. Their servers have ended with them.
func removeLeftovers() {
	dirs, _ := filepath.Glob(filepath.Join(os.TempDir(), dirPrefix+"*"))
	for _, dir := range dirs {
		info, err := os.Stat(dir)
		if err != nil || time.Since(info.ModTime()) < leftoverAge {
			continue
		}
		lock, err := os.Open(filepath.Join(dir, "telltale.lock"))
		if err != nil {
			continue
		}
		if syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			_ = os.RemoveAll(dir)
		}
		lock.Close()
	}
}
