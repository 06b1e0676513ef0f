// Package httpserver serves a Fiber app on its own connections: it accepts them, finds where requests and their bodies end, bounds
// the memory of bodies, and stops in order. Handlers use it where they deal with the connection itself: Body reads what the client
// sends, Stream and StreamCompressed write long answers, Hijack hands the connection over as a Socket, WhileConnected tells that
// the client has gone, and Drain that the server is about to stop.
//
// It knows no routes, parameters or formats of answers: errors go to the app's ErrorHandler (see package httpapi), and the
// middleware is in package httpapp.
package httpserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
	"go.uber.org/zap"

	"telltale/config"
)

const (
	// stopLimit bounds how long Stop waits for requests under way; it leaves the rest of the program some of the ten
	// seconds that a supervisor commonly grants.
	stopLimit = 6 * time.Second
	// answerLimit is how long handlers whose context has ended may take to say so to their clients.
	answerLimit = 500 * time.Millisecond
	// cutLimit is how long handlers whose connection and context have been cut may take to notice.
	cutLimit = time.Second
)

// Server accepts connections and serves the app on them, each in a goroutine of its own. fasthttp's own accept loop is not
// used because its workers cannot be joined.
type Server struct {
	addr  string
	app   *fiber.App
	drain *Drain
	log   *zap.Logger
	// bodies bounds the memory of the bodies of all requests.
	bodies budget

	listener  net.Listener
	onFailure func(error)
	joined    sync.WaitGroup // the accept loop, connections, and sockets with those at work on them

	mu       sync.Mutex
	conns    map[*conn]struct{}
	stopping bool
}

// NewServer returns a server of the app that has not started.
func NewServer(cfg config.HTTP, app *fiber.App, drain *Drain, log *zap.Logger) *Server {
	s := &Server{
		addr: cfg.Address(), app: app, drain: drain, log: log,
		onFailure: func(error) {}, conns: make(map[*conn]struct{}),
	}
	s.bodies.most = int64(max(cfg.BodyBudgetBytes, cfg.MaxBodyBytes))
	return s
}

// Start binds the address, so that a taken port is an error here, and begins to serve.
func (s *Server) Start(ctx context.Context) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", s.addr)
	if err != nil {
		return fmt.Errorf("listening on %s: %w", s.addr, err)
	}
	s.listener = listener
	s.app.Handler() // builds the tree of routes
	s.app.Server().ConnState = trackIdle
	s.app.Server().HeaderReceived = withoutBody
	s.log.Info("listening", zap.String("url", "http://"+listener.Addr().String()))
	s.joined.Go(s.accept)
	return nil
}

// Addr is where the server listens, with the port that the system chose when the configured one is 0. It is valid after
// Start.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// OnFailure has f called when the server can no longer accept connections although Stop was not called. Set it before
// Start; f must not wait for Stop.
func (s *Server) OnFailure(f func(error)) { s.onFailure = f }

// Stop announces the end on Drain, closes the listener and idle connections, and waits for requests and streams under way
// until ctx or six seconds end. Then it ends the context of every request, so that those under way are answered 503, and cuts
// what is left of their connections. It returns when every goroutine has ended; an error says that not every one has.
func (s *Server) Stop(ctx context.Context) error {
	if s.listener == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, stopLimit)
	defer cancel()
	s.drain.begin()
	defer s.drain.end()
	defer s.drain.cut()
	_ = s.listener.Close() // an error would mean that it is closed already
	busy := s.endIdle()
	s.log.Info("stopping", zap.Int("busy_connections", busy))
	done := make(chan struct{})
	go func() { s.joined.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	s.drain.cut()
	timer := time.NewTimer(answerLimit)
	defer timer.Stop()
	select {
	case <-done:
		return nil
	case <-timer.C:
	}
	busy = s.open() // before the cut, which ends them
	s.log.Warn("connections are still busy and are cut", zap.Int("busy_connections", busy))
	s.closeAll()
	timer.Reset(cutLimit)
	select {
	case <-done:
		return nil
	case <-timer.C:
		return fmt.Errorf("stopping the http server: of %d busy connections that were cut, not every handler has ended", busy)
	}
}

func (s *Server) accept() {
	for {
		nc, err := s.listener.Accept()
		switch {
		case err == nil:
			s.take(nc)
		case s.drain.Active():
			return
		case !passing(err):
			err = fmt.Errorf("accepting connections: %w", err)
			s.log.Error("no longer serving", zap.Error(err))
			s.onFailure(err)
			return
		default:
			s.pause(err)
		}
	}
}

// passing tells errors that the end of other connections cures from those that stay.
func passing(err error) bool {
	for _, cause := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED} {
		if errors.Is(err, cause) {
			return true
		}
	}
	return false
}

func (s *Server) pause(err error) {
	s.log.Error("accepting a connection", zap.Error(err))
	timer := time.NewTimer(100 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.drain.Draining():
	}
}

// take serves the connection unless the server is stopping.
func (s *Server) take(nc net.Conn) {
	c := &conn{Conn: nc, server: s}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		_ = nc.Close()
		return
	}
	s.conns[c] = struct{}{}
	s.joined.Go(c.serve)
}

// endIdle ends the connections on which no request is under way, admits no more, and returns how many others there are.
func (s *Server) endIdle() (busy int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopping = true
	for c := range s.conns {
		if c.busy.Load() {
			busy++
		} else {
			c.endInput()
		}
	}
	return busy
}

// open returns how many connections there are.
func (s *Server) open() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

// closeAll cuts every connection, beneath fasthttp.
func (s *Server) closeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		_ = c.Conn.Close()
	}
}

func (s *Server) forget(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}

func (s *Server) isStopping() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stopping
}

// trackIdle learns from fasthttp that a connection waits for its next request.
func trackIdle(nc net.Conn, state fasthttp.ConnState) {
	c, ok := nc.(*conn)
	if !ok || state != fasthttp.StateIdle {
		return
	}
	c.busy.Store(false)
	if c.server.isStopping() {
		c.endInput()
	}
}
