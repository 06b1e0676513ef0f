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

// spareConnections are for the listener, the supervisor, PostgreSQL's reserve for superusers and an operator's psql.
const spareConnections = 10

// quoteDir quotes a path for a setting that is a comma-separated list.
func quoteDir(path string) string { return `"` + strings.ReplaceAll(path, `"`, `""`) + `"` }
