package embedded

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"telltale/config"
)

// Running returns base with its address, credentials and database replaced by those of the server that another process
// runs in the data folder dir. Running is false when no process uses the folder.
func Running(dir string, base config.DB) (cfg config.DB, running bool, err error) {
	if dir, err = filepath.Abs(dir); err != nil {
		return base, false, fmt.Errorf("find the data folder: %w", err)
	}
	if running, err = locked(dir); err != nil || !running {
		return base, false, err
	}
	password, err := os.ReadFile(filepath.Join(dir, "postgres.password"))
	if err != nil {
		return base, true, fmt.Errorf("read the password of the database in %s: %w", dir, err)
	}
	s := Server{socket: socketDir{path: socketPath(dir)}, password: strings.TrimSpace(string(password))}
	return s.Config(base), true, nil
}

// locked reports whether a process uses the data folder. It takes the lock for a moment, shared, to find out.
func locked(dir string) (bool, error) {
	f, err := os.Open(filepath.Join(dir, "telltale.lock"))
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for the lock of the data folder: %w", err)
	}
	defer f.Close()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return true, nil
		}
		return false, fmt.Errorf("look for the lock of the data folder: %w", err)
	}
	return false, syscall.Flock(int(f.Fd()), syscall.LOCK_UN)
}

// socketPath returns the folder of the running server's socket: the one that makeSocketDir noted, or else dir/run.
func socketPath(dir string) string {
	if text, err := os.ReadFile(filepath.Join(dir, "socket-dir")); err == nil {
		return strings.TrimSpace(string(text))
	}
	return filepath.Join(dir, "run")
}
