package embedded

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// workersIn returns the processes that work in dir: a PostgreSQL server and its children all have their data folder as
// working directory. Comparing folders rather than trusting the pid file, a process id used again is no danger.
func workersIn(dir string) []int {
	home, err := os.Stat(dir)
	if err != nil {
		return nil
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var pids []int
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		process := filepath.Join("/proc", entry.Name())
		if cwd, err := os.Stat(filepath.Join(process, "cwd")); err == nil && os.SameFile(cwd, home) && isPostgres(process) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// isPostgres leaves out other processes in the folder, such as an operator's shell.
func isPostgres(process string) bool {
	name, err := os.ReadFile(filepath.Join(process, "comm"))
	return err == nil && strings.TrimSpace(string(name)) == "postgres"
}

// removeStale removes the pid file of a server that is gone. PostgreSQL does so itself, unless a process of the same
// account has come to have that number, which is quite likely in a container.
func removeStale(dir string) error {
	if err := os.Remove(filepath.Join(dir, "postmaster.pid")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove a stale pid file: %w", err)
	}
	return nil
}
