package operations

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"telltale/config"
	"telltale/modules/auth/access"
	"telltale/modules/auth/authtest"
	"telltale/modules/readings/batchlog"
	"telltale/modules/series"
	"telltale/platform/httpapi"
	"telltale/platform/httpserver/httpservertest"
	"telltale/platform/postgres"
	"telltale/platform/postgres/pgtest"
)

// still are sources of a program in which nothing happens.
func still() Sources {
	return Sources{
		Pool:    func() (postgres.PoolUse, bool) { return postgres.PoolUse{InUse: 1, Idle: 2, Max: 20}, true },
		Commits: func() batchlog.Tally { return batchlog.Tally{} }, Queued: func() int { return 0 },
		Window: func() batchlog.Stats { return batchlog.Stats{} }, Series: func() int { return 7 },
		Metrics: prometheus.NewRegistry(),
		Storage: func(context.Context) (Storage, error) { return noStorage(), nil },
	}
}

// find returns the figure's values; NaN where there are none.
func find(t *testing.T, report Report, name string) []float64 {
	t.Helper()
	at := slices.IndexFunc(report.Figures, func(f Figure) bool { return f.Name == name })
	require.GreaterOrEqual(t, at, 0, name)
	values := make([]float64, len(report.Figures[at].Values))
	for n, value := range report.Figures[at].Values {
		if values[n] = math.NaN(); value != nil {
			values[n] = *value
		}
	}
	return values
}

func TestRecorder_KeepsTheLastHour(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sources, measured := still(), 0
		sources.Storage = func(context.Context) (Storage, error) {
			if measured++; measured%2 == 0 {
				return Storage{}, errors.New("the database is away")
			}
			return Storage{Bytes: float64(measured), BytesPerReading: 8.12345}, nil
		}
		readings := int64(0)
		sources.Commits = func() batchlog.Tally {
			readings += 50
			return batchlog.Tally{Commits: readings / 10, Readings: readings, Took: time.Duration(readings) * time.Millisecond}
		}
		r := New(sources, Limits{})
		require.NoError(t, r.Start(t.Context()))
		defer func() { require.NoError(t, r.Stop(t.Context())) }()
		synctest.Wait()
		first := r.Report(0)
		require.Len(t, first.Times, 1)
		require.True(t, math.IsNaN(find(t, first, "ingest_readings")[0]), "there is no rate yet")
		require.Equal(t, []float64{7}, find(t, first, "series"))
		for range 4 * kept {
			time.Sleep(step)
			synctest.Wait()
		}
		report := r.Report(0)
		require.Len(t, report.Times, kept)
		require.True(t, slices.IsSorted(report.Times))
		require.Equal(t, time.Now().UnixMilli(), report.Times[kept-1])
		require.Equal(t, int64(4*kept*10), report.Uptime)
		require.Equal(t, []float64{5, 5}, find(t, report, "ingest_readings")[kept-2:])
		require.Equal(t, []float64{10, 10}, find(t, report, "commit_time")[kept-2:])
		require.Equal(t, 8.123, find(t, report, "bytes_per_reading")[kept-1])
		require.InDelta(t, 4*kept/6, measured, 2, "once a minute")
		newer := r.Report(report.Times[kept-3])
		require.Equal(t, report.Times[kept-2:], newer.Times)
		require.Equal(t, find(t, report, "pool_in_use")[kept-2:], find(t, newer, "pool_in_use"))
		require.Empty(t, r.Report(time.Now().UnixMilli()).Times)
	})
}

func TestRecorder_StopEndsWhatItStarted(t *testing.T) {
	t.Parallel()
	sources := still()
	sources.Storage = func(ctx context.Context) (Storage, error) { <-ctx.Done(); return Storage{}, ctx.Err() }
	for range 20 {
		r := New(sources, Limits{})
		require.NoError(t, r.Start(t.Context()))
		require.NoError(t, r.Stop(t.Context()))
	}
}

func TestFigures_NameSettingsThatExistAndLimitsThatAreSet(t *testing.T) {
	t.Parallel()
	known := []string{"", "GOMEMLIMIT", "GOMAXPROCS"}
	for _, variable := range config.Variables() {
		known = append(known, variable.Name)
	}
	cfg := Limits{
		DB:       config.DB{MaxConnections: 20, ConnectionTimeout: 30 * time.Second, StatementTimeout: 15 * time.Second},
		Readings: config.Readings{MaxQueuedReadings: 100, MaxUnfoldedReadings: 100, FoldReadings: 50, WindowBytes: 1 << 20, MaxSeries: 9, QueryTimeout: time.Minute},
	}
	names := map[string]bool{}
	for _, f := range New(still(), cfg).Report(0).Figures {
		require.Contains(t, known, f.Setting, f.Name)
		require.NotEmpty(t, f.Unit, f.Name)
		require.False(t, names[f.Name], "%s is there twice", f.Name)
		names[f.Name] = true
		if f.Limit != nil {
			require.Positive(t, *f.Limit, f.Name)
		}
	}
}

// Each variable that a figure names is explained, with the value that is used: those of no environment are the defaults.
func TestSettings_AreThoseThatFiguresNameWithTheValuesInUse(t *testing.T) {
	for _, variable := range config.Variables() {
		t.Setenv(variable.Name, "")
	}
	cfg, err := config.Load()
	require.NoError(t, err)
	report := New(still(), Limits{DB: cfg.DB, Readings: cfg.Readings, Streaming: cfg.Streaming}).Report(0)
	named, explained, defaults := map[string]bool{}, map[string]bool{}, map[string]string{}
	for _, f := range report.Figures {
		if f.Setting != "" {
			named[f.Setting] = true
		}
	}
	for _, variable := range config.Variables() {
		defaults[variable.Name] = variable.Default
	}
	for _, s := range report.Settings {
		explained[s.Name] = true
		require.NotEmpty(t, s.Meaning, s.Name)
		if value, own := defaults[s.Name]; own {
			require.Equal(t, value, s.Value, s.Name)
		}
	}
	require.Equal(t, named, explained)
}

// The rates of requests are those of the metrics that the server counts for Prometheus.
func TestFigures_AreMadeOfTheMetricsOfTheProgram(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	requests := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "telltale_http_requests_total"}, []string{"method", "route", "status"})
	took := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "telltale_http_request_duration_seconds", Buckets: []float64{.01, .02, .04}}, []string{"method", "route"})
	viewers := prometheus.NewGauge(prometheus.GaugeOpts{Name: "telltale_stream_viewers"})
	registry.MustRegister(requests, took, viewers)
	observe := func(route, method, status string, seconds float64, times int) {
		for range times {
			requests.WithLabelValues(method, route, status).Inc()
			took.WithLabelValues(method, route).Observe(seconds)
		}
	}
	sources := still()
	sources.Metrics = registry
	observe("/api/readings", "GET", "2xx", 9, 100) // before the first sample: counts for nothing
	before := sources.snapshot(noStorage())
	viewers.Set(3)
	observe("/api/readings", "GET", "2xx", .015, 50)
	observe("/api/readings", "GET", "5xx", .03, 50)
	observe("/api/readings", "POST", "2xx", 5, 20)
	now := sources.snapshot(noStorage())
	now.at = before.at.Add(10 * time.Second)
	got := map[string]float64{}
	for _, d := range definitions(Limits{}) {
		got[d.name] = d.value(before, now)
	}
	require.InDelta(t, 10, got["history_queries"], 1e-9)
	require.InDelta(t, 12, got["http_requests"], 1e-9)
	require.InDelta(t, 5, got["http_failures"], 1e-9)
	require.InDelta(t, 20, got["history_p50"], 1e-9)
	require.InDelta(t, 38, got["history_p95"], 1e-9)
	require.InDelta(t, 3, got["stream_viewers"], 1e-9)
	require.True(t, math.IsNaN(got["stream_delay_p95"]))
	require.True(t, math.IsNaN(got["pool_wait_time"]), "no caller has waited")

	// What counts from the beginning again, as a new pool does, has no rate for once.
	fresh := *now
	fresh.at, fresh.pool = now.at.Add(10*time.Second), postgres.PoolUse{}
	now.pool.Waits = 9
	require.True(t, math.IsNaN(definitions(Limits{})[2].value(now, &fresh)))
}

func TestOperations_TellsWhatARunningInstanceDoes(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	registry, window := series.NewRegistry(db), batchlog.NewWindow(1<<20)
	log := batchlog.NewLog(db)
	tail := batchlog.NewTail(db, log, window, registry, zap.NewNop())
	require.NoError(t, tail.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, tail.Stop(context.Background())) })
	<-tail.Loaded()
	_, err := registry.Register(t.Context(), []series.Name{{Device: "a", Metric: "m"}}, true)
	require.NoError(t, err)
	appender := batchlog.NewAppender(log, tail, registry, 1000, zap.NewNop())
	require.NoError(t, appender.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, appender.Stop(context.Background())) })

	r := New(Sources{
		Pool: db.Use, Commits: appender.Tally, Queued: appender.QueuedBytes, Window: window.Stats, Series: registry.Size,
		Metrics: prometheus.NewRegistry(), Storage: Measure(db),
	}, Limits{DB: config.DB{MaxConnections: 20}, Readings: config.Readings{MaxQueuedReadings: 1000}})
	routes := func(scopes ...access.Scope) httpapi.Routes {
		guard := authtest.As(access.Principal{Subject: "anna", Scopes: scopes})
		return httpapi.Routes{Name: "operations", Mount: func(api fiber.Router) { Mount(api, r, guard) }}
	}
	admin := httpservertest.Serve(t, []httpapi.Routes{routes(access.Admin)})
	reader := httpservertest.Serve(t, []httpapi.Routes{routes(access.ReadingsRead, access.DevicesRead)})

	r.sample()
	id, _ := registry.Find("a", "m")
	_, err = appender.Append(t.Context(), []int32{id, id}, []int64{1_700_000_000_000, 1_700_000_001_000}, []float64{1, 2})
	require.NoError(t, err)
	r.measure(t.Context())
	r.sample()
	require.Equal(t, 403, reader.Ask(t, "GET", "/api/operations").StatusCode)
	for _, query := range []string{"?since=yesterday", "?since=-1", "?from=0"} {
		require.Equal(t, 422, admin.Ask(t, "GET", "/api/operations"+query).StatusCode, query)
	}
	res := admin.Ask(t, "GET", "/api/operations")
	require.Equal(t, 200, res.StatusCode)
	require.Equal(t, "application/json", res.Header.Get("Content-Type"))
	var report Report
	require.NoError(t, json.NewDecoder(res.Body).Decode(&report))
	require.Len(t, report.Times, 2)
	require.Positive(t, find(t, report, "ingest_readings")[1])
	require.Positive(t, find(t, report, "commit_time")[1])
	require.Equal(t, []float64{0, 2}, find(t, report, "unfolded_readings"))
	require.Equal(t, []float64{1, 1}, find(t, report, "series"))
	require.Positive(t, find(t, report, "database_bytes")[1])
	require.False(t, math.IsNaN(find(t, report, "pool_in_use")[1]))
	require.True(t, math.IsNaN(find(t, report, "bytes_per_reading")[1]), "there are no chunks yet")
	require.True(t, math.IsNaN(find(t, report, "tail_lag")[0]), "the database had not been asked yet")
	require.Zero(t, find(t, report, "tail_lag")[1])
	require.NoError(t, tail.Stop(context.Background()))
	other := &batchlog.Batch{Series: []int32{id}, TS: []int64{1_700_000_002_000}, Value: []float64{3}}
	require.NoError(t, log.Append(t.Context(), other, 0))
	r.measure(t.Context())
	r.sample()
	require.Equal(t, []float64{1}, find(t, r.Report(report.Times[1]), "tail_lag"), "what another instance has stored")
}

func TestStorage_EstimatesWhatAReadingTakes(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	for _, statement := range []string{
		`CREATE TABLE reading_chunks_2026_01 PARTITION OF reading_chunks FOR VALUES FROM ('2026-01-01Z') TO ('2026-02-01Z')`,
		`INSERT INTO reading_chunks (series_id, start_at, hours, count, min, max, sum, sum_rest, first, last, data)
		SELECT n, '2026-01-01Z', 1, 60, 0, 1, 30, 0, 0, 1, convert_to(repeat('x', 500), 'UTF8') FROM generate_series(1, 5000) n`,
		`ANALYZE reading_chunks`,
	} {
		_, err := db.Exec(t.Context(), statement)
		require.NoError(t, err)
	}
	found, err := Measure(db)(t.Context())
	require.NoError(t, err)
	var size float64
	require.NoError(t, db.QueryRow(t.Context(), `SELECT pg_total_relation_size('reading_chunks_2026_01')::float8`).Scan(&size))
	require.InEpsilon(t, size/(5000*60), found.BytesPerReading, .1)
	require.Greater(t, found.Bytes, size)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = Measure(db)(ctx)
	require.Error(t, err)
}
