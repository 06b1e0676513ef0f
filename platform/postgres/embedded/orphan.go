package embedded

import (
	"context"
	"fmt"
	"syscall"
	"time"

	"go.uber.org/zap"
)

// How long an orphan is waited for after each signal, and how often it is looked for.
const (
	orphanPatience = 20 * time.Second
	orphanInterval = 10 * time.Millisecond
)

// stopOrphan stops the server that a killed process has left on the cluster in dir, and waits for all of its children.
// The caller holds the lock of the data folder: whatever still runs there is an orphan.
func stopOrphan(ctx context.Context, dir string, log *zap.Logger) error {
	pids := workersIn(dir)
	if len(pids) == 0 {
		return removeStale(dir)
	}
	log.Warn("stopping a database server that was left running", zap.String("folder", dir), zap.Ints("pids", pids))
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGKILL} {
		for _, pid := range workersIn(dir) {
			_ = syscall.Kill(pid, s)
		}
		gone, err := awaitNobodyIn(ctx, dir)
		if err != nil {
			return fmt.Errorf("wait for a database server that was left running: %w", err)
		}
		if gone {
			return removeStale(dir)
		}
	}
	return fmt.Errorf("a database server that was left running in %s does not end (pids %v)", dir, workersIn(dir))
}

func awaitNobodyIn(ctx context.Context, dir string) (bool, error) {
	ticker := time.NewTicker(orphanInterval)
	defer ticker.Stop()
	timeout := time.NewTimer(orphanPatience)
	defer timeout.Stop()
	for len(workersIn(dir)) > 0 {
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-timeout.C:
			return false, nil
		case <-ticker.C:
		}
	}
	return true, nil
}
