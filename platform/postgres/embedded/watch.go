package embedded

import (
	"context"
	"time"

	"go.uber.org/zap"
)

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
			if len(deaths) > maxRestarts && time.Since(deaths[len(deaths)-1-maxRestarts]) < s.restartWindow {
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
