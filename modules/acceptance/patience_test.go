package acceptance

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/config"
	"telltale/platform/httpserver/httpservertest"
	"telltale/platform/postgres/pgtest"
)

// gate is a way to a database server that can be closed.
type gate struct {
	t        testing.TB
	network  string
	target   string
	address  string
	listener net.Listener
	joined   sync.WaitGroup

	mu    sync.Mutex
	conns []net.Conn
}

// newGate returns an open gate, and the settings to go through it.
func newGate(t testing.TB, db config.DB) (*gate, config.DB) {
	t.Helper()
	g := &gate{t: t, network: "tcp", target: net.JoinHostPort(db.Host, strconv.Itoa(db.Port))}
	if filepath.IsAbs(db.Host) {
		g.network, g.target = "unix", filepath.Join(db.Host, fmt.Sprint(".s.PGSQL.", db.Port))
	}
	db.Host, db.Port = "127.0.0.1", httpservertest.Port(t)
	g.address = net.JoinHostPort(db.Host, strconv.Itoa(db.Port))
	g.open()
	t.Cleanup(g.shut)
	return g, db
}

func (g *gate) open() {
	g.t.Helper()
	listener, err := net.Listen("tcp", g.address)
	require.NoError(g.t, err)
	g.listener = listener
	g.joined.Go(func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial(g.network, g.target)
			if err != nil {
				near.Close()
				continue
			}
			g.mu.Lock()
			g.conns = append(g.conns, near, far)
			g.mu.Unlock()
			g.joined.Go(func() { _, _ = io.Copy(far, near); far.Close() })
			g.joined.Go(func() { _, _ = io.Copy(near, far); near.Close() })
		}
	})
}

// shut closes the gate and every connection through it.
func (g *gate) shut() {
	g.listener.Close()
	g.mu.Lock()
	for _, conn := range g.conns {
		conn.Close()
	}
	g.mu.Unlock()
	g.joined.Wait()
}

// A browser's EventSource takes any status but 200 for the end and never comes back, so a stream that is asked for while
// the server starts has to wait.
func TestStart_ServesAStreamThatComesBackDuringIt(t *testing.T) {
	t.Parallel()
	_, gate, status := starting(t)
	gate.open()
	require.Equal(t, http.StatusOK, <-status)
}

func TestStart_IsStoppedWithoutThoseWhoWaitForIt(t *testing.T) {
	t.Parallel()
	p, _, status := starting(t)
	require.Zero(t, p.stop(), "it waits for no stream that waits for it, or would have to cut it\n%s", p.log)
	require.Equal(t, http.StatusServiceUnavailable, <-status)
}

// starting returns a program that cannot reach its database until the gate is opened, and where the status will come of
// a stream that has been asked for.
func starting(t *testing.T) (*program, *gate, <-chan int) {
	t.Helper()
	gate, db := newGate(t, pgtest.Config(t))
	p := start(t, db)
	p.kill()
	gate.shut()
	p.launch()
	require.Eventually(t, func() bool { return p.answers("/livez") == http.StatusOK }, time.Minute, 5*time.Millisecond)
	require.Equal(t, http.StatusServiceUnavailable, p.answers("/readyz"))

	asked := make(chan struct{})
	status := make(chan int, 1)
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { close(asked) }})
	go func() { status <- p.follow(ctx) }()
	<-asked
	select {
	case got := <-status:
		require.Fail(t, "the stream did not wait", "it was answered %d", got)
	case <-time.After(200 * time.Millisecond): // it would have been refused by now
	}
	return p, gate, status
}

// follow opens a stream, closes it, and returns the status.
func (p *program) follow(ctx context.Context) int {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+"/api/stream?access_token="+p.token, nil)
	if err != nil {
		return 0
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	return response.StatusCode
}
