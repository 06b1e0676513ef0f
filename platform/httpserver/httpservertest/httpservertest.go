// Package httpservertest serves a module's routes as the program does, with the real error handler and middleware, on a real
// loopback socket.
//
// It is for tests alone. It mounts only the routes that it is given: not even health and metrics, which package httpapp mounts.
package httpservertest

import (
	"context"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest"
	"go.uber.org/zap/zaptest/observer"

	"telltale/config"
	"telltale/platform/httpapi"
	"telltale/platform/httpapp"
	"telltale/platform/httpserver"
	"telltale/platform/leak"
)

// Server is a running server and a client whose connections end with the test.
type Server struct {
	// URL is where the server is, without a slash at the end: "http://127.0.0.1:40001".
	URL    string
	Client *http.Client
	App    *fiber.App
	Drain  *httpserver.Drain

	stop func(context.Context) error
}

// Stop stops the server before the test ends, to see what its streams make of that.
func (s *Server) Stop(ctx context.Context) error { return s.stop(ctx) }

// Option changes how New serves.
type Option func(*options)

type options struct {
	cfg   config.HTTP
	log   *zap.Logger
	drain *httpserver.Drain
	quiet []httpapp.Quiet
}

// WithConfig replaces the settings: a body limit of 16 MiB and no foreign origins. Host and port are always loopback's.
func WithConfig(cfg config.HTTP) Option { return func(o *options) { o.cfg = cfg } }

// WithLog has the server log there, rather than in the test's own log.
func WithLog(log *zap.Logger) Option { return func(o *options) { o.log = log } }

// WithQuiet has the access log say little of the subject.
func WithQuiet(name httpapp.Quiet) Option {
	return func(o *options) { o.quiet = append(o.quiet, name) }
}

// WithDrain has the server announce its end there, for modules that are built before it.
func WithDrain(drain *httpserver.Drain) Option { return func(o *options) { o.drain = drain } }

// New serves the routes under /api until the test ends, and returns the base URL.
func New(t testing.TB, routes ...httpapi.Routes) string {
	t.Helper()
	return Serve(t, routes).URL
}

// Serve is New with everything that a test may want to hold.
func Serve(t testing.TB, routes []httpapi.Routes, opts ...Option) *Server {
	t.Helper()
	o := options{cfg: config.HTTP{MaxBodyBytes: 16 << 20}, log: zaptest.NewLogger(t), drain: httpserver.NewDrain()}
	for _, opt := range opts {
		opt(&o)
	}
	o.cfg.Host, o.cfg.Port = "127.0.0.1", 0
	app := httpapp.NewApp(o.cfg, o.log, o.drain, nil, o.quiet...)
	httpapi.Mount(app, routes...)
	server := httpserver.NewServer(o.cfg, app, o.drain, o.log)
	require.NoError(t, server.Start(t.Context()))
	transport := &http.Transport{DialContext: (&net.Dialer{Timeout: time.Minute}).DialContext}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		http.DefaultClient.CloseIdleConnections()
		require.NoError(t, server.Stop(context.Background()))
	})
	return &Server{
		URL: "http://" + server.Addr().String(), Client: &http.Client{Transport: transport},
		App: app, Drain: o.drain, stop: server.Stop,
	}
}

// Ask sends a request without a body, with header's names and values in turn. The answer's body is closed when the test ends.
func (s *Server) Ask(t testing.TB, method, path string, header ...string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, nil)
	require.NoError(t, err)
	for n := 0; n < len(header); n += 2 {
		req.Header.Set(header[n], header[n+1])
	}
	res, err := s.Client.Do(req)
	require.NoError(t, err)
	t.Cleanup(func() { _ = res.Body.Close() })
	return res
}

// WatchedLog returns a log of every level, as WithLog takes it, and its entries.
func WatchedLog() (*zap.Logger, *observer.ObservedLogs) {
	core, logs := observer.New(zapcore.DebugLevel)
	return zap.New(core, zap.AddStacktrace(zapcore.ErrorLevel)), logs
}

// IgnoreClock tells goleak of the one goroutine that fasthttp never ends: the clock behind the Date header.
func IgnoreClock() goleak.Option {
	return goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1")
}

// Main is for the TestMain of packages with a server but without a database: it fails when goroutines are left over.
func Main(m *testing.M) { leak.Main(m, IgnoreClock()) }
