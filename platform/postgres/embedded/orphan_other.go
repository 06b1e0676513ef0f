//go:build !linux

package embedded

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// workersIn returns the process that the cluster's pid file names, if it is a PostgreSQL server.
func workersIn(dir string) []int {
	pid := postmasterPID(dir)
	if pid <= 0 {
		return nil
	}
	command, err := exec.Command("ps", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	if err != nil || !strings.Contains(string(command), "postgres") || !strings.Contains(string(command), dir) {
		return nil
	}
	return []int{pid}
}

// removeStale leaves the pid file to PostgreSQL: it checks that no child of the old server is left, which we cannot here.
func removeStale(string) error { return nil }

// postmasterPID returns the process id in the cluster's pid file, 0 when there is none.
func postmasterPID(dir string) int {
	text, err := os.ReadFile(filepath.Join(dir, "postmaster.pid"))
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(first))
	if err != nil {
		return 0
	}
	return pid
}
