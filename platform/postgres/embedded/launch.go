package embedded

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"go.uber.org/zap"
)

// statusInterval is how often the server's status file is looked at while it starts.
const statusInterval = 2 * time.Millisecond

// launch starts the server on its cluster and waits until it accepts connections.
func (s *Server) launch(ctx context.Context) (*process, error) {
	cmd := s.account.command(s.programs.path("postgres"))
	cmd.Args = append(cmd.Args, "-D", s.cluster.hand(cmd))
	for _, setting := range s.settings(s.sockets.hand(cmd)) {
		cmd.Args = append(cmd.Args, "-c", setting)
	}
	cmd.Stdout, cmd.Stderr = s.log, s.log
	lastSignal := syscall.SIGINT
	if s.opts.Volatile {
		lastSignal = syscall.SIGQUIT
	}
	p, err := spawn(cmd, lastSignal)
	if err != nil {
		return nil, err
	}
	if err := s.awaitReady(ctx, p); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.process = p
	return p, nil
}

func (s *Server) awaitReady(ctx context.Context, p *process) error {
	ticker := time.NewTicker(statusInterval)
	defer ticker.Stop()
	for {
		select {
		case <-p.ended:
			return fmt.Errorf("start postgresql: it ended (%w)%s", p.err, logTail(s.opts.Dir))
		case <-ctx.Done():
			_ = p.shutdown(ctx)
			return fmt.Errorf("start postgresql: %w%s", context.Cause(ctx), logTail(s.opts.Dir))
		case <-ticker.C:
			if acceptsConnections(s.clusterDir(), p.pid()) {
				return nil
			}
		}
	}
}

// acceptsConnections reads the status line that PostgreSQL 10 and later keep in postmaster.pid.
func acceptsConnections(clusterDir string, pid int) bool {
	text, err := os.ReadFile(filepath.Join(clusterDir, "postmaster.pid"))
	if err != nil {
		return false
	}
	lines := bytes.Split(text, []byte("\n"))
	return len(lines) >= 8 && string(lines[0]) == strconv.Itoa(pid) && string(bytes.TrimSpace(lines[7])) == "ready"
}

// settings are given on the command line, so that a new version of Telltale changes them for old clusters too.
func (s *Server) settings(socketDir string) []string {
	settings := []string{
		"listen_addresses=",
		"port=" + strconv.Itoa(port),
		"unix_socket_directories=" + quoteDir(socketDir),
		"unix_socket_permissions=0700",
		"max_connections=" + strconv.Itoa(s.opts.MaxConnections+spareConnections),
		"shared_buffers=128MB",
		"max_wal_size=1GB",
		"wal_compression=on",
		"jit=off",
		"max_parallel_workers_per_gather=1",
		"timezone=UTC",
		"log_timezone=UTC",
		"log_destination=stderr",
		"logging_collector=off",
		"log_checkpoints=off",
	}
	if s.opts.Volatile {
		settings = append(settings, "fsync=off", "full_page_writes=off", "synchronous_commit=off", "shared_buffers=32MB")
	}
	return settings
}

// spareConnections are for the listener, the supervisor, PostgreSQL's reserve for superusers and somebody with psql.
const spareConnections = 10

// quoteDir quotes a path for a setting that is a comma-separated list.
func quoteDir(path string) string { return `"` + strings.ReplaceAll(path, `"`, `""`) + `"` }

// The limits of starting a server again that keeps dying.
const (
	maxRestarts   = 5
	restartWindow = time.Minute
	restartDelay  = 200 * time.Millisecond
)

// watch starts the server again when it ends by itself, until Stop is called or it has died too often.
func (s *Server) watch(p *process) {
	var deaths []time.Time
	for {
		select {
		case <-s.stopping:
			return
		case <-p.ended:
		}
		s.opts.Log.Error("embedded PostgreSQL has died", zap.NamedError("status", p.err), zap.String("log", logTail(s.opts.Dir)))
		for {
			deaths = append(deaths, time.Now())
			if len(deaths) > maxRestarts && time.Since(deaths[len(deaths)-1-maxRestarts]) < restartWindow {
				s.opts.Log.Error("embedded PostgreSQL keeps dying and is not started again", zap.Int("deaths", len(deaths)))
				return
			}
			next, err := s.relaunch()
			if err == nil && next == nil {
				return
			}
			if err == nil {
				p = next
				s.opts.Log.Info("embedded PostgreSQL is running again", zap.Int("pid", p.pid()))
				break
			}
			s.opts.Log.Error("embedded PostgreSQL does not start again", zap.Error(err))
		}
	}
}

// relaunch starts the server after a short delay. It returns nil without an error when Stop was called meanwhile.
func (s *Server) relaunch() (*process, error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	over := make(chan struct{})
	defer close(over)
	s.watching.Go(func() {
		select {
		case <-s.stopping:
			cancel()
		case <-over:
		}
	})
	select {
	case <-ctx.Done():
		return nil, nil
	case <-time.After(restartDelay):
	}
	if err := stopOrphan(ctx, s.clusterDir(), s.opts.Log); err != nil {
		return nil, err
	}
	p, err := s.launch(ctx)
	if ctx.Err() != nil && p == nil {
		return nil, nil
	}
	return p, err
}

// running returns the server's process, nil when it has none that lives.
func (s *Server) running() *process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.process
}
