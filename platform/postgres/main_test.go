package postgres_test

import (
	"context"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"telltale/config"
	"telltale/platform/postgres"
	"telltale/platform/postgres/embedded"
	"telltale/platform/postgres/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m, pgtest.Sample()) }

// patience is how long a test waits for something that ought to happen.
const patience = time.Minute

// journal is a log that a test can wait on and search.
type journal struct {
	*zap.Logger
	t     testing.TB
	lines chan string

	mu   sync.Mutex
	text strings.Builder
}

func newJournal(t testing.TB) *journal {
	j := &journal{t: t, lines: make(chan string, 1000)}
	encoder := zapcore.NewJSONEncoder(zap.NewDevelopmentEncoderConfig())
	core := zapcore.NewCore(encoder, zapcore.AddSync(j), zapcore.DebugLevel)
	j.Logger = zap.New(zapcore.RegisterHooks(core, func(e zapcore.Entry) error {
		j.lines <- e.Message
		return nil
	}))
	return j
}

func (j *journal) Write(line []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(line)
}

// await returns when a message that contains text has been logged since the last one awaited.
func (j *journal) await(text string) {
	j.t.Helper()
	timeout := time.After(patience)
	for {
		select {
		case line := <-j.lines:
			if strings.Contains(line, text) {
				return
			}
		case <-timeout:
			require.FailNow(j.t, "nothing logged: "+text, j.String())
		}
	}
}

// count returns how many lines contain text.
func (j *journal) count(text string) int { return strings.Count(j.String(), text) }

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// machine is a server that a test may stop and start.
type machine struct {
	t      testing.TB
	dir    string
	server *embedded.Server
	cfg    config.DB
}

// newMachine returns a running server with pool limits for tests. It is stopped when t ends.
func newMachine(t testing.TB) *machine {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: what takes PostgreSQL is not tested")
	}
	dir, err := os.MkdirTemp("", "telltale-machine-") // a path short enough for a socket, so that it stays the same
	require.NoError(t, err)
	m := &machine{t: t, dir: dir, server: embedded.New(embedded.Options{Dir: dir, MaxConnections: 50, Volatile: true})}
	t.Cleanup(func() {
		m.stop()
		require.NoError(t, os.RemoveAll(dir))
	})
	m.start()
	m.cfg = m.server.Config(config.DB{
		MinConnections: 1, MaxConnections: 4,
		ConnectionTimeout: patience, IdleTimeout: time.Minute,
	})
	return m
}

func (m *machine) start() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	require.NoError(m.t, m.server.Start(ctx))
}

func (m *machine) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	require.NoError(m.t, m.server.Stop(ctx))
}

// open starts a database with a log to watch. It is stopped when t ends.
func open(t testing.TB, cfg config.DB) (*postgres.DB, *journal) {
	log := newJournal(t)
	db := postgres.New(cfg, "", pgtest.Sample(), log.Logger)
	require.NoError(t, db.Start(context.Background()))
	t.Cleanup(func() { stop(t, db) })
	return db, log
}

func stop(t testing.TB, db *postgres.DB) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	require.NoError(t, db.Stop(ctx))
}

func awaitReady(t testing.TB, db *postgres.DB) {
	t.Helper()
	select {
	case <-db.Ready():
	case <-time.After(patience):
		require.FailNow(t, "the database did not become ready")
	}
}
