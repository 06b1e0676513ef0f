package streaming

import (
	"context"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"
	"go.uber.org/zap/zaptest/observer"

	"telltale/config"
	"telltale/modules/auth"
	"telltale/modules/auth/authtest"
	"telltale/modules/devices"
	"telltale/modules/readings"
	"telltale/platform/httpserver"
	"telltale/platform/httpserver/httpservertest"
	"telltale/platform/postgres"
)

var everyone = auth.Principal{Subject: "test", Scopes: []auth.Scope{auth.Admin}}

// instance is one instance of the program, as far as streams need it.
type instance struct {
	hub      *Hub
	db       *postgres.DB
	tail     *readings.Tail
	window   *readings.Window
	log      *readings.Log
	registry *devices.Registry
	appender *readings.Appender
	folder   *readings.Folder
	service  *readings.Service
	server   *httpservertest.Server
	logs     *observer.ObservedLogs
	metrics  *prometheus.Registry
	stop     func()
	bearer   string // of requests by do
}

// options change an instance.
type options struct {
	principal auth.Principal
	streaming config.Streaming
	window    int           // bytes
	caches    int           // bytes of sheets, and of the backlog
	pumps     int           // instead of as many as the processors carry
	halt      *haltedWindow // stands in front of the window
	checker   checker
	slowAfter time.Duration
	pageTime  time.Duration // instead of pageTimeout
	clock     *clock        // instead of the system's, for buckets
	guard     guard         // instead of one that takes everyone for the principal
}

// start starts an instance on the database. It ends with the test, or by stop.
func start(t testing.TB, db *postgres.DB, change ...func(*options)) *instance {
	t.Helper()
	o := options{
		principal: everyone, window: 1 << 20,
		streaming: config.Streaming{Heartbeat: time.Minute, WriteTimeout: 10 * time.Second},
	}
	for _, c := range change {
		c(&o)
	}
	logger := zaptest.NewLogger(t, zaptest.Level(zap.WarnLevel))
	seen, logs := observer.New(zap.DebugLevel)
	i := &instance{registry: devices.NewRegistry(db), log: readings.NewLog(db), window: readings.NewWindow(o.window), logs: logs, metrics: prometheus.NewRegistry()}
	i.db = db
	tail := readings.NewTail(db, i.log, i.window, i.registry, logger)
	i.tail = tail
	i.appender = readings.NewAppender(i.log, tail, i.registry, 1<<20, logger)
	i.folder = readings.NewFolder(db, i.log, tail, i.window, config.Readings{FoldInterval: time.Hour, FoldReadings: 1 << 30, LogRetention: time.Hour}, logger)
	if o.guard == nil {
		o.guard = authtest.As(o.principal)
	}
	if o.checker == nil {
		o.checker = authtest.As(o.principal)
	}
	limits := config.Readings{QueryTimeout: time.Hour, QueryMaxPoints: 1_000_000}
	i.service = readings.NewService(db, i.log, tail, i.window, i.appender, i.folder, i.registry, limits, 4)
	drain := httpserver.NewDrain()
	var followed window = i.window
	if o.halt != nil {
		o.halt.window, followed = i.window, o.halt
	}
	i.hub = NewHub(o.streaming, Sources{
		Window: followed, Log: i.log, Registry: i.registry, Retention: i.folder, Loaded: tail.Loaded(), Draining: drain.Draining(), Checker: o.checker,
		History: func(ctx context.Context, who auth.Principal, q readings.Query, rows *bucketRows) error {
			return i.service.History(ctx, who, q, rows)
		},
	}, i.metrics, zap.New(seen))
	i.hub.recheckEvery = time.Hour
	if o.caches > 0 {
		i.hub.sheets.kept.budget, i.hub.backlog.kept.budget = o.caches, o.caches
	}
	if o.pumps > 0 {
		i.hub.pumps = nil
		for range o.pumps {
			i.hub.pumps = append(i.hub.pumps, newPump(i.hub))
		}
	}
	if o.clock != nil {
		i.hub.closer.now, i.hub.closer.grace, i.hub.closer.pace = o.clock.now, 0, 0
		o.clock.watch(i.hub)
	}
	if o.pageTime > 0 {
		i.hub.pageTimeout = o.pageTime
	}
	if o.slowAfter > 0 {
		i.hub.slowAfter = o.slowAfter
	}
	ctx := context.Background()
	require.NoError(t, tail.Start(ctx))
	require.NoError(t, i.appender.Start(ctx))
	require.NoError(t, i.hub.Start(ctx))
	<-tail.Loaded()
	i.server = httpservertest.Serve(t, []httpserver.Routes{Routes(i.hub, NewFilters(db), o.guard), readings.Routes(i.service, o.guard, 1<<20)},
		httpservertest.WithDrain(drain), httpservertest.WithLog(logger),
		httpservertest.WithConfig(config.HTTP{MaxBodyBytes: 16 << 20, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}))
	stopped := false
	i.stop = func() {
		if stopped {
			return
		}
		stopped = true
		require.NoError(t, i.server.Stop(ctx))
		require.NoError(t, i.hub.Stop(ctx))
		require.NoError(t, i.appender.Stop(ctx))
		require.NoError(t, tail.Stop(ctx))
	}
	t.Cleanup(i.stop)
	return i
}

// url is that of a stream.
func (i *instance) url(query string) string { return i.server.URL + "/api/stream?" + query }

// datum is one reading to post.
type datum struct {
	device, metric string
	ts             int64
	value          float64
}

// post appends readings as one request and returns its seq.
func (i *instance) post(t testing.TB, data ...datum) int64 {
	t.Helper()
	var series []int32
	var ts []int64
	var value []float64
	for _, d := range data {
		id, ok := i.registry.Find(d.device, d.metric)
		if !ok {
			_, err := i.registry.Register(context.Background(), []devices.Name{{Device: d.device, Metric: d.metric}}, true)
			require.NoError(t, err)
			id, ok = i.registry.Find(d.device, d.metric)
			require.True(t, ok)
		}
		series, ts, value = append(series, id), append(ts, d.ts), append(value, d.value)
	}
	seq, err := i.appender.Append(context.Background(), series, ts, value)
	require.NoError(t, err)
	return seq
}

// postMany posts n batches of one reading of a device each, with values counting up from first.
func (i *instance) postMany(t testing.TB, device string, first, n int) {
	t.Helper()
	for k := range n {
		i.post(t, datum{device, "m", int64(1000 + first + k), float64(first + k)})
	}
}

// fold moves everything into chunks.
func (i *instance) fold(t testing.TB) {
	t.Helper()
	require.NoError(t, i.folder.Fold(context.Background()))
}

// ended waits for the log line of the n-th stream that ended, and returns its fields.
func (i *instance) ended(t testing.TB, n int) map[string]any {
	t.Helper()
	var found []observer.LoggedEntry
	require.Eventually(t, func() bool {
		found = i.logs.FilterMessage("stream ended").All()
		return len(found) >= n
	}, waiting, tick)
	return found[n-1].ContextMap()
}

// counted returns what a counter has come to, over all its labels.
func (i *instance) counted(t testing.TB, name string) (total float64) {
	t.Helper()
	families, err := i.metrics.Gather()
	require.NoError(t, err)
	for _, family := range families {
		if family.GetName() == name {
			for _, metric := range family.GetMetric() {
				total += metric.GetCounter().GetValue()
			}
		}
	}
	return total
}

func values(all []reading) (values []string) {
	for _, r := range all {
		values = append(values, fmt.Sprint(r.Device, r.Values))
	}
	return values
}
