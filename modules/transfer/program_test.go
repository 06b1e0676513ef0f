package transfer_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"

	"telltale/config"
	"telltale/modules/auth"
	"telltale/modules/auth/bootstrap"
	"telltale/modules/devices"
	"telltale/modules/readings"
	"telltale/modules/schema"
	"telltale/modules/series"
	"telltale/modules/transfer"
	"telltale/platform/httpapp"
	"telltale/platform/httpserver"
	"telltale/platform/httpserver/httpservertest"
	"telltale/platform/postgres"
	"telltale/platform/postgres/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m, schema.New(), httpservertest.IgnoreClock()) }

// program starts Telltale on an empty database of its own.
func program(t testing.TB) transfer.Server {
	t.Helper()
	const password = "a password of the tests"
	cfg := config.Config{
		DB: pgtest.Config(t), DataDir: t.TempDir(),
		HTTP: config.HTTP{Host: "127.0.0.1", MaxBodyBytes: 16 << 20},
		Auth: config.Auth{
			SecretKey: "a secret of the tests, long enough", Algorithm: "HS256", TokenLifetime: time.Hour,
			AdminUsername: "admin", AdminPassword: password,
		},
		Readings: config.Readings{
			MaxQueuedReadings: 1 << 20, MaxSeries: 1 << 20, MaxUnfoldedReadings: 1 << 22, FoldReadings: 1 << 17, FoldInterval: time.Hour,
			WindowBytes: 1 << 22, LogRetention: time.Hour, QueryTimeout: time.Minute,
		},
	}
	var server *httpserver.Server
	var db *postgres.DB
	app := fxtest.New(t, fx.NopLogger, fx.Supply(cfg),
		fx.Provide(
			func() *zap.Logger { return zaptest.NewLogger(t, zaptest.Level(zap.WarnLevel)) },
			func() bootstrap.Announce { return func(string, string) {} },
		),
		config.Module, fx.Provide(schema.New), postgres.Module, httpapp.Module, auth.Module, series.Module, devices.Module, readings.Module,
		fx.Populate(&server, &db),
	)
	app.RequireStart()
	t.Cleanup(app.RequireStop)
	<-db.Ready()
	s := transfer.Server{URL: "http://" + server.Addr().String(), HTTP: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8}}}
	t.Cleanup(s.HTTP.CloseIdleConnections)
	require.Eventually(t, func() bool {
		response, err := s.HTTP.PostForm(s.URL+"/api/auth/token", url.Values{"username": {"admin"}, "password": {password}})
		require.NoError(t, err)
		defer response.Body.Close()
		var answer struct {
			AccessToken string `json:"access_token"`
		}
		if response.StatusCode == http.StatusOK {
			require.NoError(t, json.NewDecoder(response.Body).Decode(&answer))
		}
		s.Token = answer.AccessToken
		return s.Token != ""
	}, time.Minute, 10*time.Millisecond)
	return s
}

// through puts a gate in front of a server: it sees each request, with its number from 1 on, and may answer it itself.
func through(t testing.TB, s transfer.Server, gate func(n int, w http.ResponseWriter, r *http.Request) (answered bool)) transfer.Server {
	t.Helper()
	target, err := url.Parse(s.URL)
	require.NoError(t, err)
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }, Transport: s.HTTP.Transport,
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
	var mu sync.Mutex
	n := 0
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		n++
		number := n
		mu.Unlock()
		if !gate(number, w, r) {
			proxy.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(front.Close)
	s.URL, s.HTTP = front.URL, front.Client()
	return s
}

// notes is a Reporter that keeps what it is told.
type notes struct {
	resumed bool
	rejects []string
	more    int
	read    int64
}

func (n *notes) File(_ string, _ int64, resumed bool) { n.resumed = resumed }
func (n *notes) Read(bytes int64)                     { n.read = bytes }
func (n *notes) Rejected(rejects []transfer.Reject, more int) {
	for _, r := range rejects {
		n.rejects = append(n.rejects, fmt.Sprintf("%d: %s", r.Line, r.Reason))
	}
	n.more += more
}

func write(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// load imports a file, and expects it to work.
func load(t testing.TB, s transfer.Server, opts transfer.Options, files ...string) (transfer.Summary, *notes) {
	t.Helper()
	report := &notes{}
	done, err := transfer.Import(t.Context(), s, opts, files, nil, report)
	require.NoError(t, err)
	return done, report
}

// dump exports everything, and returns it.
func dump(t testing.TB, s transfer.Server, format transfer.Format) string {
	t.Helper()
	return string(dumpTo(t, s, transfer.Selection{Format: format, To: "2100-01-01T00:00:00Z"}, filepath.Join(t.TempDir(), "dump")))
}

func dumpTo(t testing.TB, s transfer.Server, what transfer.Selection, path string) []byte {
	t.Helper()
	_, err := transfer.Export(t.Context(), s, what, path, false, io.Discard, func(int64) {})
	require.NoError(t, err)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoFileExists(t, path+".telltale-export")
	return text
}
