package streaming

import (
	"context"
	"fmt"
	"math"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"telltale/config"
	"telltale/modules/auth/access"
	"telltale/modules/auth/authtest"
	"telltale/modules/readings"
	"telltale/modules/readings/batchlog"
	"telltale/modules/readings/history"
	"telltale/modules/readings/readingstest"
	"telltale/modules/series"
	"telltale/modules/streaming/backlog"
	"telltale/modules/streaming/budget"
	"telltale/modules/streaming/event"
	"telltale/modules/streaming/livebucket"
	"telltale/modules/streaming/saved"
	"telltale/platform/httpapi"
	"telltale/platform/httpserver"
	"telltale/platform/httpserver/httpservertest"
	"telltale/platform/postgres"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"
	"go.uber.org/zap/zaptest/observer"
)

var everyone = readingstest.Everyone

// instance is one instance of the program, as far as streams need it.
type instance struct {
	*readingstest.Engine
	hub     *Hub
	feed    batchlog.Feed
	server  *httpservertest.Server
	logs    *observer.ObservedLogs
	metrics *prometheus.Registry
	stop    func()
	bearer  string             // of requests by do
	lookups *atomic.Int64      // of names by the hub
	tagged  *atomic.Int64      // lookups of tags by the hub
	ask     livebucket.History // that the hub asks
	sources Sources
	limits  livebucket.Limits
}

// countedRegistry counts what a hub asks its registry.
type countedRegistry struct {
	*series.Registry
	of *instance
}

func (r countedRegistry) ByID(id int32) (series.Series, bool) {
	r.of.lookups.Add(1)
	return r.Registry.ByID(id)
}

func (r countedRegistry) Tagged(ctx context.Context, tags []string) (map[string]bool, error) {
	r.of.tagged.Add(1)
	return r.Registry.Tagged(ctx, tags)
}

// followsTags reports whether a viewer filters by tags.
func (i *instance) followsTags(t testing.TB) bool {
	t.Helper()
	before := i.tagged.Load()
	require.NoError(t, i.hub.tagSets.Refresh(context.Background()))
	return i.tagged.Load() > before
}

// options change an instance.
type options struct {
	principal  access.Principal
	streaming  config.Streaming
	window     int           // bytes
	caches     int           // bytes of encoded batches, and of the backlog
	pumps      int           // instead of as many as the processors carry
	halt       *haltedWindow // stands in front of the window
	checker    checker
	slowAfter  time.Duration
	digestTime time.Duration // instead of digestTimeout
	clock      *clock        // instead of the system's, for buckets
	guard      guard         // instead of one that takes everyone for the principal
	realTime   bool          // stamps are those of the server's clock, not 1, 2, 3
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
	if !o.realTime {
		readingstest.CountStamps(t, db)
	}
	engine, stopEngine := readingstest.New(t, db, func(limits *config.Readings) {
		limits.WindowBytes, limits.QueryTimeout, limits.QueryMaxPoints = o.window, time.Hour, 1_000_000
	})
	engine.UseGate(4, time.Minute)
	seen, logs := observer.New(zap.DebugLevel)
	i := &instance{
		Engine: engine, feed: batchlog.NewFeed(engine.Window),
		logs: logs, metrics: prometheus.NewRegistry(), lookups: &atomic.Int64{}, tagged: &atomic.Int64{},
	}
	if o.guard == nil {
		o.guard = authtest.As(o.principal)
	}
	if o.checker == nil {
		o.checker = authtest.As(o.principal)
	}
	drain := httpserver.NewDrain()
	var followed window = i.feed
	if o.halt != nil {
		o.halt.window, followed = followed, o.halt
	}
	i.ask = func(ctx context.Context, who access.Principal, q history.Query, rows *livebucket.Rows) error {
		return i.Queries.History(ctx, who, q, rows)
	}
	i.sources = Sources{
		Window: followed, Log: i.Log, Registry: countedRegistry{i.Registry, i}, Retention: i.Retention, Loaded: i.Tail.Loaded(), Draining: drain.Draining(), Checker: o.checker,
		History: func(ctx context.Context, who access.Principal, q history.Query, rows *livebucket.Rows) error {
			return i.ask(ctx, who, q, rows)
		},
	}
	i.hub = NewHub(o.streaming, i.sources, i.metrics, zap.New(seen))
	i.hub.recheckEvery = time.Hour
	if !o.realTime {
		i.hub.leastStamp = 0
	}
	if o.caches > 0 {
		i.hub.encoded, i.hub.backlog = event.NewCache(i.Registry, o.caches), backlog.New(i.Log, o.caches)
	}
	if o.pumps > 0 {
		i.hub.pumps = nil
		for range o.pumps {
			i.hub.pumps = append(i.hub.pumps, newPump(i.hub))
		}
	}
	i.limits = livebucket.Defaults()
	if o.clock != nil {
		i.limits.Now, i.limits.Grace = o.clock.now, 0
		i.hub.bucketPace = 0
		o.clock.watch(i.hub)
	}
	i.limitBuckets(func(*livebucket.Limits) {})
	if o.digestTime > 0 {
		i.hub.digestTimeout = o.digestTime
	}
	if o.slowAfter > 0 {
		i.hub.slowAfter = o.slowAfter
	}
	ctx := context.Background()
	require.NoError(t, i.hub.Start(ctx))
	i.server = httpservertest.Serve(t, []httpapi.Routes{Routes(i.hub, saved.NewFilters(db), o.guard), readings.Routes(i.Service, o.guard, 1<<20)},
		httpservertest.WithDrain(drain), httpservertest.WithLog(zaptest.NewLogger(t, zaptest.Level(zap.WarnLevel))),
		httpservertest.WithConfig(config.HTTP{MaxBodyBytes: 16 << 20, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}))
	stopped := false
	i.stop = func() {
		if stopped {
			return
		}
		stopped = true
		require.NoError(t, i.server.Stop(ctx))
		require.NoError(t, i.hub.Stop(ctx))
		stopEngine()
	}
	t.Cleanup(i.stop)
	return i
}

// limitBuckets has flushes of buckets made within other limits.
func (i *instance) limitBuckets(change func(*livebucket.Limits)) {
	change(&i.limits)
	i.hub.buckets = livebucket.NewMaker(i.hub.bucketSources(i.sources), i.limits)
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
	var ids []int32
	var ts []int64
	var value []float64
	for _, d := range data {
		id, ok := i.Registry.Find(d.device, d.metric)
		if !ok {
			_, err := i.Registry.Register(context.Background(), []series.Name{{Device: d.device, Metric: d.metric}}, true)
			require.NoError(t, err)
			id, ok = i.Registry.Find(d.device, d.metric)
			require.True(t, ok)
		}
		ids, ts, value = append(ids, id), append(ts, d.ts), append(value, d.value)
	}
	seq, err := i.Appender.Append(context.Background(), ids, ts, value)
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

// requireEmpty requires that nothing of a budget is taken.
func requireEmpty(t testing.TB, b *budget.Bytes) {
	t.Helper()
	free, ok := b.Take(math.MaxInt)
	require.True(t, ok, "only an empty budget lets one user have more than there is")
	free()
}

func values(all []reading) (values []string) {
	for _, r := range all {
		values = append(values, fmt.Sprint(r.Device, r.Values))
	}
	return values
}
