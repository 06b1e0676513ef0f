package httpserver_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"

	"telltale/config"
	"telltale/platform/httpapi"
	"telltale/platform/httpapp"
	"telltale/platform/httpserver"
	"telltale/platform/httpserver/httpservertest"
)

// gate is a route whose handler tells that it has begun and answers when it may.
type gate struct {
	entered chan struct{}
	open    chan struct{}
}

func newGate() *gate { return &gate{entered: make(chan struct{}, 10), open: make(chan struct{})} }

func (g *gate) routes() httpapi.Routes {
	return httpapi.Routes{Name: "gate", Mount: func(api fiber.Router) {
		api.Get("/gate", func(c *fiber.Ctx) error {
			g.entered <- struct{}{}
			select {
			case <-g.open:
				return c.SendString("through")
			case <-c.UserContext().Done():
				return c.UserContext().Err()
			}
		})
		api.Get("/free", func(c *fiber.Ctx) error { return c.SendString("free") })
	}}
}

// raw is a connection on which a test speaks HTTP by itself.
type raw struct {
	t *testing.T
	net.Conn
	in *bufio.Reader
}

func dial(t *testing.T, url string) *raw {
	t.Helper()
	nc, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(url, "http://"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = nc.Close() })
	return &raw{t, nc, bufio.NewReader(nc)}
}

func (r *raw) send(text string) {
	r.t.Helper()
	_, err := io.WriteString(r, text)
	require.NoError(r.t, err)
}

func (r *raw) get(path string) { r.send("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n") }

// answer reads one answer whole.
func (r *raw) answer() (*http.Response, string) {
	r.t.Helper()
	res, err := http.ReadResponse(r.in, nil)
	require.NoError(r.t, err)
	body, err := io.ReadAll(res.Body)
	require.NoError(r.t, err)
	return res, string(body)
}

func (r *raw) ended() {
	r.t.Helper()
	_, err := r.in.ReadByte()
	require.ErrorIs(r.t, err, io.EOF)
}

func TestServer_ATakenPortIsAnErrorAtStart(t *testing.T) {
	t.Parallel()
	taken, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	cfg := config.HTTP{Host: "127.0.0.1", Port: taken.Addr().(*net.TCPAddr).Port, MaxBodyBytes: 1000}
	log, drain := zaptest.NewLogger(t), httpserver.NewDrain()
	server := httpserver.NewServer(cfg, httpapp.NewApp(cfg, log, drain, nil), drain, log)
	require.ErrorContains(t, server.Start(t.Context()), "address already in use")
	require.NoError(t, server.Stop(t.Context()))
}

func TestServer_StopWaitsForRequestsUnderWayAndEndsIdleConnections(t *testing.T) {
	t.Parallel()
	g := newGate()
	server := httpservertest.Serve(t, []httpapi.Routes{g.routes()})
	// Connections are accepted in their order: one that is not when the server stops is reset.
	silent, idle, busy := dial(t, server.URL), dial(t, server.URL), dial(t, server.URL)
	idle.get("/api/free")
	idle.answer()
	busy.get("/api/gate")
	<-g.entered

	stopped := make(chan error, 1)
	go func() { stopped <- server.Stop(context.Background()) }()
	<-server.Drain.Draining()
	idle.ended()
	silent.ended()
	select {
	case err := <-stopped:
		require.Fail(t, "stopped while a request was under way", "error: %v", err)
	default:
	}
	close(g.open)
	res, body := busy.answer()
	require.Equal(t, "through", body)
	require.True(t, res.Close)
	busy.ended()
	require.NoError(t, <-stopped)
	_, err := net.Dial("tcp", strings.TrimPrefix(server.URL, "http://"))
	require.Error(t, err)
}

func TestStop_AnswersWhatIsUnderWayBeforeItIsCut(t *testing.T) {
	t.Parallel()
	g := newGate()
	server := httpservertest.Serve(t, []httpapi.Routes{g.routes()})
	client := dial(t, server.URL)
	client.get("/api/gate")
	<-g.entered
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, server.Stop(ended))
	res, body := client.answer()
	require.Equal(t, 503, res.StatusCode)
	require.NotEmpty(t, res.Header.Get("Retry-After"))
	require.Contains(t, body, "the server is stopping")
}

func TestServer_StopCutsWhatDoesNotEndInTime(t *testing.T) {
	t.Parallel()
	g := newGate()
	server := httpservertest.Serve(t, []httpapi.Routes{g.routes()})
	client := dial(t, server.URL)
	client.get("/api/gate")
	<-g.entered
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, server.Stop(ended), "all has ended, if not by itself")
}

func TestServer_AHijackedConnectionIsOwnedByItsHandlerAndStopWaitsForIt(t *testing.T) {
	t.Parallel()
	drain := httpserver.NewDrain()
	server := httpservertest.Serve(t, []httpapi.Routes{{Name: "stream", Mount: func(api fiber.Router) {
		api.Get("/stream", func(c *fiber.Ctx) error {
			c.Set("Content-Type", "text/event-stream")
			return httpserver.Hijack(c, func(s *httpserver.Socket) {
				_, _ = io.WriteString(s, "first ")
				s.Go(func() { // and the first goroutine ends
					defer s.Close()
					<-drain.Draining()
					_, _ = io.WriteString(s, "last")
				})
			})
		})
	}}}, httpservertest.WithDrain(drain))
	client := dial(t, server.URL)
	client.get("/api/stream")
	res, err := http.ReadResponse(client.in, nil)
	require.NoError(t, err)
	require.Equal(t, "text/event-stream", res.Header.Get("Content-Type"))
	require.NotEmpty(t, res.Header.Get("X-Request-ID"))
	require.True(t, res.Close)
	first := make([]byte, len("first "))
	_, err = io.ReadFull(res.Body, first)
	require.NoError(t, err)
	require.NoError(t, server.Stop(t.Context()))
	rest, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, "last", string(rest))
}

func TestServer_AHijackedHandlerRunsAlsoWhenTheClientHasGoneBefore(t *testing.T) {
	t.Parallel()
	gone, told := make(chan struct{}), make(chan error, 1)
	server := httpservertest.Serve(t, []httpapi.Routes{{Name: "stream", Mount: func(api fiber.Router) {
		api.Get("/stream", func(c *fiber.Ctx) error {
			<-gone
			return httpserver.Hijack(c, func(s *httpserver.Socket) {
				defer s.Close()
				_, err := io.WriteString(s, "hello?")
				told <- err
			})
		})
	}}})
	client := dial(t, server.URL)
	client.get("/api/stream")
	require.NoError(t, client.Conn.(*net.TCPConn).SetLinger(0))
	require.NoError(t, client.Close())
	close(gone)
	require.ErrorIs(t, <-told, net.ErrClosed)
}

func TestServer_AHijackedHandlerThatIgnoresTheDrainIsCut(t *testing.T) {
	t.Parallel()
	failed := make(chan error, 1)
	server := httpservertest.Serve(t, []httpapi.Routes{{Name: "stream", Mount: func(api fiber.Router) {
		api.Get("/stream", func(c *fiber.Ctx) error {
			return httpserver.Hijack(c, func(s *httpserver.Socket) {
				defer s.Close()
				_, err := s.Read(make([]byte, 1))
				failed <- err
			})
		})
	}}})
	client := dial(t, server.URL)
	client.get("/api/stream")
	_, err := http.ReadResponse(client.in, nil)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	require.NoError(t, server.Stop(ctx))
	require.ErrorIs(t, <-failed, net.ErrClosed)
}

func TestServer_APanicOfAHijackedHandlerEndsOnlyItsConnection(t *testing.T) {
	t.Parallel()
	for name, serve := range map[string]func(*httpserver.Socket){
		"at once": func(*httpserver.Socket) { panic("so it goes") },
		"later":   func(s *httpserver.Socket) { s.Go(func() { panic("so it goes") }) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log, logs := httpservertest.WatchedLog()
			server := httpservertest.Serve(t, []httpapi.Routes{newGate().routes(), {Name: "stream", Mount: func(api fiber.Router) {
				api.Get("/stream", func(c *fiber.Ctx) error { return httpserver.Hijack(c, serve) })
			}}}, httpservertest.WithLog(log))
			client := dial(t, server.URL)
			client.get("/api/stream")
			client.answer()
			other := dial(t, server.URL)
			other.get("/api/free")
			_, body := other.answer()
			require.Equal(t, "free", body)
			require.NoError(t, server.Stop(t.Context()))
			require.Len(t, logs.FilterLevelExact(zap.ErrorLevel).All(), 1)
		})
	}
}

func TestServer_StopWaitsForASocketWithoutAGoroutine(t *testing.T) {
	t.Parallel()
	sockets := make(chan *httpserver.Socket, 1)
	server := httpservertest.Serve(t, []httpapi.Routes{{Name: "stream", Mount: func(api fiber.Router) {
		api.Get("/stream", func(c *fiber.Ctx) error {
			return httpserver.Hijack(c, func(s *httpserver.Socket) { sockets <- s })
		})
	}}})
	client := dial(t, server.URL)
	client.get("/api/stream")
	s := <-sockets
	stopped := make(chan error, 1)
	go func() { stopped <- server.Stop(t.Context()) }()
	time.Sleep(50 * time.Millisecond) // for Stop to get to where it waits; it must not return
	require.Empty(t, stopped)
	require.NoError(t, s.Close())
	require.NoError(t, s.Close())
	require.NoError(t, <-stopped)
}

func TestServer_StartAndStopUnderLoad(t *testing.T) {
	t.Parallel()
	for range 20 {
		server := httpservertest.Serve(t, []httpapi.Routes{newGate().routes()})
		var clients sync.WaitGroup
		first := make(chan struct{}, 4)
		for range 4 {
			clients.Go(func() {
				client := &http.Client{Transport: &http.Transport{}}
				defer client.CloseIdleConnections()
				for n := 0; ; n++ {
					res, err := client.Get(server.URL + "/api/free")
					if err != nil {
						return
					}
					_, err = io.Copy(io.Discard, res.Body)
					if res.Body.Close(); err != nil || res.StatusCode == 503 {
						return
					}
					if n == 0 {
						first <- struct{}{}
					}
				}
			})
		}
		<-first
		require.NoError(t, server.Stop(t.Context()))
		clients.Wait()
	}
}

func TestServer_AnswersPipelinedRequestsInOrder(t *testing.T) {
	t.Parallel()
	server := httpservertest.Serve(t, []httpapi.Routes{{Name: "echo", Mount: func(api fiber.Router) {
		api.Get("/echo/:word", func(c *fiber.Ctx) error { return c.SendString(c.Params("word")) })
		api.Get("/long", func(c *fiber.Ctx) error { return httpserver.Stream(c, writeLong) })
	}}})
	client := dial(t, server.URL)
	line := func(path string) string { return "GET /api" + path + " HTTP/1.1\r\nHost: x\r\n\r\n" }
	client.send(line("/long") + line("/echo/a") + line("/echo/b"))
	_, body := client.answer()
	require.Len(t, body, longBytes)
	_, body = client.answer()
	require.Equal(t, "a", body)
	_, body = client.answer()
	require.Equal(t, "b", body)

	client = dial(t, server.URL)
	client.send(line("/echo/a") + line("/long"))
	_, body = client.answer()
	require.Equal(t, "a", body)
	_, body = client.answer()
	require.Len(t, body, longBytes)
}

const longBytes = 300_000

func writeLong(w io.Writer) error {
	piece := strings.Repeat("x", 1000)
	for range longBytes / len(piece) {
		if _, err := io.WriteString(w, piece); err != nil {
			return err
		}
	}
	return nil
}

var errBroken = errors.New("the source has run dry")
