package httpapp_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"
	"go.uber.org/zap"

	"telltale/config"
	"telltale/platform/fault"
	"telltale/platform/health"
	"telltale/platform/httpapi"
	"telltale/platform/httpapp"
	"telltale/platform/httpserver"
	"telltale/platform/httpserver/httpservertest"
)

// start runs the module as the program does.
func start(t *testing.T, log *zap.Logger, probes ...health.Probe) (url string, app *fxtest.App) {
	t.Helper()
	var server *httpserver.Server
	options := []fx.Option{
		fx.Supply(config.HTTP{Host: "127.0.0.1", MaxBodyBytes: 1000}, log),
		fx.Provide(fx.Annotate(func() httpapi.Routes { return items()[0] }, fx.ResultTags(`group:"routes"`))),
		httpapp.Module,
		fx.Invoke(func(r prometheus.Registerer) {
			r.MustRegister(prometheus.NewCounter(prometheus.CounterOpts{Name: "telltale_own_total", Help: "x"}))
		}),
		fx.Populate(&server),
	}
	for _, probe := range probes {
		options = append(options, fx.Supply(fx.Annotate(probe, fx.ResultTags(`group:"probes"`))))
	}
	app = fxtest.New(t, options...)
	app.RequireStart()
	return "http://" + server.Addr().String(), app
}

func TestHealth_TellsOfEveryProbe(t *testing.T) {
	t.Parallel()
	var broken atomic.Pointer[error]
	log, logs := httpservertest.WatchedLog()
	url, app := start(t, log,
		health.Probe{Name: "database", Check: func() (map[string]any, error) {
			detail := map[string]any{"connections": 3}
			if err := broken.Load(); err != nil {
				return detail, *err
			}
			return detail, nil
		}},
		health.Probe{Name: "tail", Check: func() (map[string]any, error) { return nil, nil }},
	)
	defer app.RequireStop()
	type answer struct {
		Status  string
		Version string
		Uptime  *int `json:"uptime_seconds"`
		Since   *time.Time
		Reasons []string
		Checks  map[string]struct {
			Status, Reason string
			Since          *time.Time
			Detail         map[string]any
		}
	}
	get := func(path string) (status int, header http.Header, a answer) {
		res, err := http.Get(url + path)
		require.NoError(t, err)
		defer res.Body.Close()
		require.NoError(t, json.NewDecoder(res.Body).Decode(&a))
		return res.StatusCode, res.Header, a
	}
	for _, path := range []string{"/health", "/api/health", "/readyz", "/api/readyz"} {
		broken.Store(nil)
		status, _, a := get(path)
		require.Equal(t, 200, status)
		require.Equal(t, "ok", a.Status)
		require.NotEmpty(t, a.Version)
		require.NotNil(t, a.Uptime)
		require.Len(t, a.Checks, 2)
		require.EqualValues(t, 3, a.Checks["database"].Detail["connections"])

		err := errors.New("user=telltale host=10.0.0.7: refused")
		broken.Store(&err)
		status, header, a := get(path)
		require.Equal(t, 503, status)
		require.Equal(t, "1", header.Get("Retry-After"))
		require.Equal(t, "unavailable", a.Status)
		require.Equal(t, "unavailable", a.Checks["database"].Status)
		require.NotContains(t, a.Checks["database"].Reason, "10.0.0.7", "health is public")
		require.Equal(t, "ok", a.Checks["tail"].Status)
	}
	for _, path := range []string{"/livez", "/api/livez"} {
		status, _, a := get(path)
		require.Equal(t, 200, status)
		require.Equal(t, "ok", a.Status)
	}
	err := error(fault.Busy(0, nil, "the database is starting"))
	broken.Store(&err)
	_, _, a := get("/readyz")
	require.Equal(t, "the database is starting", a.Checks["database"].Reason)
	require.Equal(t, []string{"database: the database is starting"}, a.Reasons)
	require.NotNil(t, a.Since)
	since := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	known := error(&health.Failing{Since: since, Err: err})
	broken.Store(&known)
	_, _, a = get("/readyz")
	require.Equal(t, since, *a.Since, "the part knows better since when it fails")
	require.Equal(t, since, *a.Checks["database"].Since)
	broken.Store(nil)
	_, _, a = get("/readyz")
	require.Nil(t, a.Since)
	require.Empty(t, a.Reasons)
	broken.Store(&err)
	require.Len(t, logs.FilterMessage("not ready").All(), 5, "each change of state is logged once")
	require.Empty(t, logs.FilterMessage("request").FilterLevelExact(zap.InfoLevel).All(), "polling stays out of the log")
}

func TestMetrics_CountByRouteAndNeverByPath(t *testing.T) {
	t.Parallel()
	url, app := start(t, zap.NewNop())
	defer app.RequireStop()
	for _, path := range []string{"/api/items/a", "/api/items/b", "/api/secret-path"} {
		res, err := http.Get(url + path)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
	}
	res, err := http.Get(url + "/metrics")
	require.NoError(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	for _, want := range []string{
		`telltale_http_requests_total{method="GET",route="/api/items/:id",status="2xx"} 2`,
		`telltale_http_requests_total{method="(none)",route="(none)",status="4xx"} 1`,
		`telltale_http_request_duration_seconds_count{method="GET",route="/api/items/:id"} 2`,
		`telltale_own_total 0`, `go_goroutines `, `process_open_fds `, `telltale_build_info{`,
	} {
		require.Contains(t, string(text), want)
	}
	require.NotContains(t, string(text), "secret-path")
}
