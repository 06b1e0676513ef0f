package embedded

import (
	"context"
	"os"
	"syscall"
	"time"
)

// PID returns the server's process id.
func (s *Server) PID() int { return s.running().pid() }

// ShareLock returns what a child of this process has of the folder's lock before it becomes another program.
func (s *Server) ShareLock() (*os.File, error) {
	fd, err := syscall.Dup(int(s.lock.Fd()))
	return os.NewFile(uintptr(fd), s.lock.Name()), err
}

// CountRestartsWithin has restarts count together that come within d.
func (s *Server) CountRestartsWithin(d time.Duration) { s.restartWindow = d }

// Abandon lets go of the folder and leaves the server running, as a process that was killed does where the kernel cannot
// end its children. The function returned waits until the server has ended.
func (s *Server) Abandon() (await func()) {
	close(s.stopping)
	s.watching.Wait()
	s.stopping = nil
	p := s.running()
	_ = unlockFolder(s.lock)
	return func() { <-p.ended }
}

// Inspect returns the version of the programs in dir.
func (s *Server) Inspect(ctx context.Context, dir string) (string, error) {
	p, err := s.inspect(ctx, dir)
	return p.version, err
}
