package pgtest

import (
	"encoding/binary"
	"io"
	"net"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"telltale/config"
)

// pooler stands between clients and a server as PgBouncer does: it names another process than the server's, and drops
// notifications if told to.
type pooler struct {
	network string // of the server
	target  string
	drop    bool
	serving sync.WaitGroup

	mu    sync.Mutex
	conns []net.Conn
	over  bool
}

// BehindPooler returns the settings of connections through a pooler before the server that cfg leads to. The pooler passes
// no notifications on if it is to drop them. It ends with t.
func BehindPooler(t testing.TB, cfg config.DB, drop bool) config.DB {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &pooler{network: "tcp", target: net.JoinHostPort(cfg.Host, strconv.Itoa(cfg.Port)), drop: drop}
	if filepath.IsAbs(cfg.Host) {
		p.network, p.target = "unix", filepath.Join(cfg.Host, ".s.PGSQL."+strconv.Itoa(cfg.Port))
	}
	p.serving.Go(func() { p.serve(listener) })
	t.Cleanup(func() {
		listener.Close()
		p.closeAll()
		p.serving.Wait()
	})
	address := listener.Addr().(*net.TCPAddr)
	cfg.Host, cfg.Port = address.IP.String(), address.Port
	cfg.SSLMode, cfg.PreparedStatements = "disable", false // the pooler reads what passes
	return cfg
}

func (p *pooler) serve(listener net.Listener) {
	for {
		client, err := listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial(p.network, p.target)
		if err != nil {
			client.Close()
			continue
		}
		p.keep(client, server)
		p.serving.Go(func() {
			_, _ = io.Copy(server, client)
			server.Close()
		})
		p.serving.Go(func() {
			p.answer(client, server)
			client.Close()
		})
	}
}

// answer passes the server's messages on: a byte for the type and four for the length, which counts itself.
func (p *pooler) answer(client io.Writer, server io.Reader) {
	for {
		header := make([]byte, 5)
		if _, err := io.ReadFull(server, header); err != nil {
			return
		}
		body := make([]byte, binary.BigEndian.Uint32(header[1:])-4)
		if _, err := io.ReadFull(server, body); err != nil {
			return
		}
		switch header[0] {
		case 'K': // BackendKeyData: process id, secret
			binary.BigEndian.PutUint32(body, 1)
		case 'A': // NotificationResponse
			if p.drop {
				continue
			}
		}
		if _, err := client.Write(append(header, body...)); err != nil {
			return
		}
	}
}

func (p *pooler) keep(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns = append(p.conns, conns...)
	if p.over {
		for _, c := range conns {
			c.Close()
		}
	}
}

func (p *pooler) closeAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over = true
	for _, c := range p.conns {
		c.Close()
	}
}
