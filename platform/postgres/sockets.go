package postgres

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// partingLimit is how long the parting from a server may take, in each of its two steps: asking it to cancel a statement, and
// waiting for it to close the connection. A connection of the pool is free only after it.
const partingLimit = time.Second

// sockets are the connections to the server that are open or being closed.
type sockets struct {
	heard atomic.Int64 // Unix nanoseconds: when a session last received something

	mu   sync.Mutex
	open map[*socket]struct{}
	over bool // whether no more are opened
}

// socket is one connection to the server.
type socket struct {
	net.Conn
	all     *sockets
	session *atomic.Bool // whether the connection has become a session
}

// track has the connections that cc opens be known to s. pgx opens those that ask for a cancellation in the same way as the
// session itself: they come after it, and get no more than partingLimit. cc serves for one session.
func (s *sockets) track(cc *pgx.ConnConfig) {
	dial, settle := cc.DialFunc, cc.AfterConnect
	session := new(atomic.Bool)
	cc.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		if !session.Load() {
			return s.add(ctx, dial, network, address, session)
		}
		ctx, cancel := context.WithTimeout(ctx, partingLimit)
		defer cancel()
		c, err := s.add(ctx, dial, network, address, new(atomic.Bool))
		if err == nil {
			err = c.SetDeadline(time.Now().Add(partingLimit))
		}
		return c, err
	}
	cc.AfterConnect = func(ctx context.Context, conn *pgconn.PgConn) error {
		if settle != nil {
			if err := settle(ctx, conn); err != nil {
				return err
			}
		}
		session.Store(true)
		return nil
	}
}

func (s *sockets) add(ctx context.Context, dial pgconn.DialFunc, network, address string, session *atomic.Bool) (net.Conn, error) {
	c, err := dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	own := &socket{Conn: c, all: s, session: session}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return nil, errors.Join(net.ErrClosed, c.Close())
	}
	if s.open == nil {
		s.open = make(map[*socket]struct{})
	}
	s.open[own] = struct{}{}
	return own, nil
}

// cut closes every connection: statements under way fail at once.
func (s *sockets) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.open {
		_ = c.Conn.Close()
	}
}

// end cuts every connection, and has no more opened.
func (s *sockets) end() {
	s.mu.Lock()
	s.over = true
	s.mu.Unlock()
	s.cut()
}

// heardSince reports whether any session has received something since then: a server that answers one is there.
func (s *sockets) heardSince(then time.Time) bool { return s.heard.Load() >= then.UnixNano() }

func (c *socket) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 && c.session.Load() {
		c.all.heard.Store(time.Now().UnixNano())
	}
	return n, err
}

// SetDeadline allows no more than partingLimit: pgx sets deadlines that are ahead only for the parting.
func (c *socket) SetDeadline(t time.Time) error {
	if most := time.Now().Add(partingLimit); t.After(most) {
		t = most
	}
	return c.Conn.SetDeadline(t)
}

func (c *socket) Close() error {
	c.all.mu.Lock()
	delete(c.all.open, c)
	c.all.mu.Unlock()
	return c.Conn.Close()
}
