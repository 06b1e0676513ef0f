//go:build !linux

package embedded

import (
	"os/exec"
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
