package embedded

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// process is a running program of PostgreSQL's that ends when we do.
type process struct {
	cmd *exec.Cmd
	// ended is closed when the program has ended; err is how, and may be read from then on.
	ended chan struct{}
	err   error
}

// spawn starts cmd such that lastSignal reaches it when this process dies, where the operating system can do that.
func spawn(cmd *exec.Cmd, lastSignal syscall.Signal) (*process, error) {
	p := &process{cmd: cmd, ended: make(chan struct{})}
	tieToParent(cmd.SysProcAttr, lastSignal)
	started := make(chan error)
	go func() {
		// "When the parent dies" means the thread that started the child, so this goroutine keeps its thread, and
		// waits on it, until the child has ended.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			p.err = cmd.Wait()
			close(p.ended)
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	return p, nil
}

// run runs cmd to its end, or kills it when ctx ends first.
func run(ctx context.Context, cmd *exec.Cmd) error {
	p, err := spawn(cmd, syscall.SIGKILL)
	if err != nil {
		return err
	}
	select {
	case <-p.ended:
		return p.err
	case <-ctx.Done():
		// Its session is its own: the negative id reaches its children too.
		_ = syscall.Kill(-p.pid(), syscall.SIGKILL)
		<-p.ended
		return ctx.Err()
	}
}

func (p *process) pid() int { return p.cmd.Process.Pid }

func (p *process) signal(s os.Signal) { _ = p.cmd.Process.Signal(s) }

// How long a server that is to stop is waited for before it is asked less kindly.
const (
	fastShutdown      = 30 * time.Second
	immediateShutdown = 3 * time.Second
)

// shutdown stops a PostgreSQL server and waits for it: by a checkpoint, else at once, else by force. What ctx's deadline
// leaves is for the first, less what the second may need.
func (p *process) shutdown(ctx context.Context) error {
	patience := fastShutdown
	if deadline, ok := ctx.Deadline(); ok {
		patience = max(min(patience, time.Until(deadline)-immediateShutdown), 0)
	}
	if p.endsAfter(syscall.SIGINT, patience) || p.endsAfter(syscall.SIGQUIT, immediateShutdown) {
		return nil
	}
	p.signal(syscall.SIGKILL)
	<-p.ended
	return fmt.Errorf("stop postgresql: it had to be killed after %s", patience+immediateShutdown)
}

func (p *process) endsAfter(s os.Signal, patience time.Duration) bool {
	p.signal(s)
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-p.ended:
		return true
	case <-timer.C:
		return false
	}
}
