package readings_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/config"
	"telltale/platform/postgres"
)

// gate stands between one instance and its database, and cuts every connection at a statement of the test's choice, as the
// death of the instance does, or that of the network.
type gate struct {
	network, target string
	name            string // of the sessions in the server
	listener        net.Listener
	serving         sync.WaitGroup

	mu      sync.Mutex
	conns   map[net.Conn]bool
	left    int  // statements until the cut, that one included; 0: none
	arrives bool // whether the statement of the cut still reaches the server
	shut    bool
}

// newGate returns an open gate, and the settings to go through it. Number tells its sessions from those of others.
func newGate(t *testing.T, db config.DB, number int) (*gate, config.DB) {
	t.Helper()
	g := &gate{network: "tcp", target: net.JoinHostPort(db.Host, strconv.Itoa(db.Port)), conns: map[net.Conn]bool{}}
	if filepath.IsAbs(db.Host) {
		g.network, g.target = "unix", filepath.Join(db.Host, fmt.Sprint(".s.PGSQL.", db.Port))
	}
	g.name = fmt.Sprintf("gate %03d", number)
	var err error
	g.listener, err = net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	g.serving.Go(g.serve)
	address := g.listener.Addr().(*net.TCPAddr)
	db.Host, db.Port, db.SSLMode = "127.0.0.1", address.Port, "disable"
	return g, db
}

// close ends the gate for good.
func (g *gate) close() {
	g.listener.Close()
	g.cut()
	g.serving.Wait()
}

// arm has the gate cut at the n-th statement from now on.
func (g *gate) arm(n int, arrives bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.left, g.arrives = n, arrives
}

// disarm reports whether the gate has cut meanwhile.
func (g *gate) disarm() (cut bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.left = 0
	return g.shut
}

// open lets connections through again.
func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = false
}

// settle waits until the server has ended the sessions that were cut: what they were about is done by then, or never.
func (g *gate) settle(t *testing.T, db *postgres.DB) {
	t.Helper()
	const query = `SELECT count(*) FROM pg_stat_activity WHERE application_name = $1 AND datname = current_database()`
	require.Eventually(t, func() bool {
		var n int
		return db.QueryRow(t.Context(), query, g.name).Scan(&n) == nil && n == 0
	}, time.Minute, time.Millisecond)
}

// cut closes every connection and lets none through any more.
func (g *gate) cut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.cutLocked()
}

func (g *gate) cutLocked() {
	g.shut = true
	for conn := range g.conns {
		conn.Close()
	}
}

// keep notes connections, so that a cut reaches them; false when they come too late.
func (g *gate) keep(conns ...net.Conn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, conn := range conns {
		g.conns[conn] = true
	}
	return !g.shut
}

func (g *gate) leave(conn net.Conn) {
	conn.Close()
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.conns, conn)
}

func (g *gate) serve() {
	for {
		client, err := g.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial(g.network, g.target)
		if err != nil || !g.keep(client, server) {
			client.Close()
			if server != nil {
				server.Close()
			}
			continue
		}
		g.serving.Go(func() {
			g.ask(server, bufio.NewReader(client))
			g.leave(server)
		})
		g.serving.Go(func() {
			_, _ = io.Copy(client, server)
			g.leave(client)
		})
	}
}

// ask passes a client's messages on. See "Message Formats" in PostgreSQL's manual: all but the first begin with a letter; then
// comes the length, itself included.
func (g *gate) ask(server net.Conn, client *bufio.Reader) {
	message, err := readMessage(client, 0)
	message = bytes.Replace(message, []byte("application_name\x00telltale\x00"), []byte("application_name\x00"+g.name+"\x00"), 1)
	for err == nil {
		if _, err = server.Write(message); err != nil {
			return
		}
		if message, err = readMessage(client, 1); err == nil && !g.pass(server, message) {
			return
		}
	}
}

func readMessage(from io.Reader, prefix int) ([]byte, error) {
	header := make([]byte, prefix+4)
	if _, err := io.ReadFull(from, header); err != nil {
		return nil, err
	}
	body := make([]byte, binary.BigEndian.Uint32(header[prefix:])-4)
	_, err := io.ReadFull(from, body)
	return append(header, body...), err
}

// pass counts statements, by the messages Query and Sync, and reports whether the connection goes on.
func (g *gate) pass(server net.Conn, message []byte) bool {
	if message[0] != 'Q' && message[0] != 'S' {
		return true
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut || g.left == 0 {
		return !g.shut
	}
	if g.left--; g.left > 0 {
		return true
	}
	if g.arrives {
		// No answer comes back: the client's side is closed first.
		for conn := range g.conns {
			if conn != server {
				conn.Close()
			}
		}
		_, _ = server.Write(message)
	}
	g.cutLocked()
	return false
}
