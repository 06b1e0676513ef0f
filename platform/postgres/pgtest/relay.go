package pgtest

import (
	"net"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"telltale/config"
)

// relay stands between clients and a server: it opens a connection to the server for each client that comes.
type relay struct {
	network, target string // of the server
	// toServer and toClient pass on what one of a pair of connections says, until an error; then the other one is closed.
	toServer, toClient passing
	serving            sync.WaitGroup

	mu    sync.Mutex
	conns []net.Conn
	over  bool
	calls int
}

type passing func(to, from net.Conn)

// start returns the settings of connections over the relay to the server that cfg leads to. The relay ends with t; before it
// waits for what passes it calls release.
func (r *relay) start(t testing.TB, cfg config.DB, release func()) config.DB {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	r.network, r.target = "tcp", net.JoinHostPort(cfg.Host, strconv.Itoa(cfg.Port))
	if filepath.IsAbs(cfg.Host) {
		r.network, r.target = "unix", filepath.Join(cfg.Host, ".s.PGSQL."+strconv.Itoa(cfg.Port))
	}
	r.serving.Go(func() { r.serve(listener) })
	t.Cleanup(func() {
		listener.Close()
		release()
		r.cut(true)
		r.serving.Wait()
	})
	address := listener.Addr().(*net.TCPAddr)
	cfg.Host, cfg.Port, cfg.SSLMode = address.IP.String(), address.Port, "disable"
	return cfg
}

func (r *relay) serve(listener net.Listener) {
	for {
		client, err := listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial(r.network, r.target)
		if err != nil {
			client.Close()
			continue
		}
		r.keep(client, server)
		r.serving.Go(func() {
			defer server.Close()
			r.toServer(server, client)
		})
		r.serving.Go(func() {
			defer client.Close()
			r.toClient(client, server)
		})
	}
}

func (r *relay) keep(conns ...net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.conns = append(r.conns, conns...)
	r.calls++
	if r.over {
		for _, c := range conns {
			c.Close()
		}
	}
}

// cut closes every connection, and those to come too if the relay is over.
func (r *relay) cut(over bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.over = r.over || over
	for _, c := range r.conns {
		c.Close()
	}
	r.conns = nil
}
