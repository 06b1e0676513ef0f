// Package embedded runs a private PostgreSQL server under a folder of its own, so that Telltale needs nothing installed but
// PostgreSQL's programs, and not even those where it can download them.
//
// The server listens on a Unix socket in a folder that only its own account can enter, and asks for a generated password. It lives
// exactly as long as the process that started it: it stops with the process, also when that is killed, and is restarted when it
// dies by itself. Only one process at a time may use a folder. The package knows no database beyond that server.
package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"go.uber.org/zap"

	"telltale/config"
)

// The names of the superuser and of the database made for Telltale, and the port that gives the socket its name.
const (
	username = "telltale"
	database = "telltale"
	port     = 5432
)

// Options say where a Server lives and how.
type Options struct {
	// Dir is Telltale's data folder. The cluster is Dir/postgres; beside it lie the lock, the password and the log.
	Dir string
	// MaxConnections is how many connections the clients will open together; a few more are kept for maintenance.
	MaxConnections int
	// Volatile trades durability for speed: an operating system crash loses the cluster. For tests.
	Volatile bool
	// Repository is the Maven repository that programs are downloaded from; empty is the central one.
	Repository string
	Log        *zap.Logger
}

// Server is one PostgreSQL server under one folder. Its methods are not safe for concurrent use, except Stop, which may
// be called while nothing else is.
type Server struct {
	opts     Options
	account  account
	programs programs
	password string

	lock    *os.File
	cluster *folder
	sockets *folder
	socket  socketDir
	log     *os.File

	watching      sync.WaitGroup
	stopping      chan struct{}
	restartWindow time.Duration // within which more than maxRestarts restarts are too many

	mu      sync.Mutex
	process *process
}

// New returns a server that is not running yet.
func New(opts Options) *Server {
	if opts.Log == nil {
		opts.Log = zap.NewNop()
	}
	return &Server{opts: opts, restartWindow: restartWindow}
}

// Config returns base with its address, credentials and database replaced by the server's. Call it after Start.
func (s *Server) Config(base config.DB) config.DB {
	base.Host, base.Port, base.SSLMode = s.socket.path, port, "disable"
	base.Username, base.Password, base.Database = username, s.password, database
	base.PreparedStatements = true
	return base
}

// Start makes the cluster if there is none, starts the server and returns when it accepts connections. The first start
// takes a second or two, or as long as a download takes; later ones some tens of milliseconds, or as long as recovery
// from a crash takes. Errors quote the end of the server's own log.
func (s *Server) Start(ctx context.Context) (err error) {
	if s.opts.Dir, err = filepath.Abs(s.opts.Dir); err != nil {
		return fmt.Errorf("find the data folder: %w", err)
	}
	if err = os.MkdirAll(s.opts.Dir, 0o700); err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	if s.lock, err = lockFolder(s.opts.Dir); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.release())
		}
	}()
	if err = s.prepare(ctx); err != nil {
		return err
	}
	p, err := s.launch(ctx)
	if err != nil {
		return err
	}
	s.opts.Log.Info("embedded PostgreSQL is running",
		zap.String("version", s.programs.version), zap.String("folder", s.clusterDir()), zap.Int("pid", p.pid()))
	s.stopping = make(chan struct{})
	s.watching.Go(func() { s.watch(p) })
	s.watching.Go(s.tendLog)
	return nil
}

// prepare brings about everything that a server needs before it can be started.
func (s *Server) prepare(ctx context.Context) (err error) {
	if s.account, err = chooseAccount(s.clusterDir()); err != nil {
		return err
	}
	if err = stopOrphan(ctx, s.clusterDir(), s.opts.Log); err != nil {
		return err
	}
	if s.programs, err = s.findPrograms(ctx); err != nil {
		return err
	}
	if s.password, err = loadPassword(s.opts.Dir, s.clusterDir()); err != nil {
		return err
	}
	if s.socket, err = makeSocketDir(s.opts.Dir, s.account); err != nil {
		return err
	}
	if s.sockets, err = s.account.open(s.socket.path); err != nil {
		return err
	}
	if s.log, err = openLog(s.opts.Dir, s.account); err != nil {
		return err
	}
	if err = s.ensureCluster(ctx); err != nil {
		return err
	}
	s.cluster, err = s.account.open(s.clusterDir())
	return err
}

// Stop shuts the server down, waits for it, and gives the folder free. It lets the server write a checkpoint while ctx
// has time left and cuts that short otherwise, which costs the next start a recovery, not data. Stopping a server that
// is not running does nothing.
func (s *Server) Stop(ctx context.Context) error {
	if s.stopping == nil {
		return nil
	}
	close(s.stopping)
	s.watching.Wait()
	s.stopping = nil
	var err error
	if p := s.running(); p != nil {
		err = p.shutdown(ctx)
	}
	s.opts.Log.Info("embedded PostgreSQL has stopped", zap.Error(err))
	return errors.Join(err, s.release())
}

// release closes and removes what a stopped server leaves.
func (s *Server) release() error {
	var errs []error
	for _, f := range []*os.File{s.cluster.file(), s.sockets.file(), s.log} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	errs = append(errs, s.socket.remove())
	if s.lock != nil {
		errs = append(errs, unlockFolder(s.lock))
	}
	s.cluster, s.sockets, s.log, s.lock = nil, nil, nil, nil
	return errors.Join(errs...)
}

func (s *Server) clusterDir() string { return filepath.Join(s.opts.Dir, "postgres") }

func wrap(attempt string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", attempt, err)
}
