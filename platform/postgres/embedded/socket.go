package embedded

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// maxSocketPath is what the shortest sockaddr_un among the supported systems holds (macOS; Linux has four more).
const maxSocketPath = 103

// socketDir is the folder of the server's socket.
type socketDir struct {
	path string
	// temporary is true when the data folder's path was too long for a socket, and record is where that is noted.
	temporary bool
	record    string
}

// makeSocketDir makes a folder for the socket that only the account can enter: dir/run, or where that would be too long
// a path for a socket, a temporary one.
func makeSocketDir(dir string, a account) (socketDir, error) {
	record := filepath.Join(dir, "socket-dir")
	removeRecorded(record)
	d := socketDir{path: filepath.Join(dir, "run"), record: record}
	if len(d.path)+len("/.s.PGSQL.5432") <= maxSocketPath {
		return d, a.makeDir(d.path)
	}
	path, err := os.MkdirTemp("", "telltale-run-")
	if err != nil {
		return socketDir{}, fmt.Errorf("make a folder for the database's socket: %w", err)
	}
	d.path, d.temporary = path, true
	if err := os.WriteFile(record, []byte(path+"\n"), 0o600); err != nil {
		return d, fmt.Errorf("note the folder of the database's socket: %w", err)
	}
	return d, a.makeDir(path)
}

// remove removes a temporary folder.
func (d socketDir) remove() error {
	if !d.temporary {
		return nil
	}
	if err := os.RemoveAll(d.path); err != nil {
		return err
	}
	return os.Remove(d.record)
}

// removeRecorded removes the temporary folder of a process that was killed.
func removeRecorded(record string) {
	text, err := os.ReadFile(record)
	if err != nil {
		return
	}
	if path := strings.TrimSpace(string(text)); strings.HasPrefix(filepath.Base(path), "telltale-run-") {
		_ = os.RemoveAll(path)
	}
	_ = os.Remove(record)
}
