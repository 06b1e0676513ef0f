package httpapp

import (
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"telltale/platform/httpapi"
	"telltale/platform/version"
)

// newRegistry returns a registry of metrics of its own, with those of the Go runtime and the process.
func newRegistry() *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "telltale_build_info", Help: "Always 1; its label is the version.",
			ConstLabels: prometheus.Labels{"version": version.Number()},
		}, func() float64 { return 1 }),
	)
	return registry
}

// metrics counts requests. Labels are the method, the pattern of the route (never a path) and the class of the status, so
// that their number stays small whatever clients send.
type metrics struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	bytes    *prometheus.CounterVec
}

// newMetrics registers the metrics of the HTTP server. It panics when they are registered already.
// Without a registerer there are none.
func newMetrics(registerer prometheus.Registerer) *metrics {
	if registerer == nil {
		return nil
	}
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "telltale_http_requests_total", Help: "Requests answered.",
		}, []string{"method", "route", "status"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "telltale_http_request_duration_seconds", Help: "Time from a request's arrival to the end of its answer.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"method", "route"}),
		bytes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "telltale_http_response_bytes_total", Help: "Bytes of answers' bodies, without those of live streams.",
		}, []string{"method", "route"}),
	}
	registerer.MustRegister(m.requests, m.duration, m.bytes)
	return m
}

func (m *metrics) observe(x *exchange, took time.Duration) {
	method := x.method
	if x.route == httpapi.Unmatched {
		method = httpapi.Unmatched // unknown methods end here, and there is no end of them
	}
	m.requests.WithLabelValues(method, x.route, strconv.Itoa(x.status/100)+"xx").Inc()
	m.duration.WithLabelValues(method, x.route).Observe(took.Seconds())
	m.bytes.WithLabelValues(method, x.route).Add(float64(x.bytes))
}

// mountMetrics serves the gatherer's metrics at /metrics, without authentication: they hold counts of the program as a
// whole, and nothing of devices, readings, users or tokens. Every contributor of metrics must keep it so.
func mountMetrics(app *fiber.App, gatherer prometheus.Gatherer) {
	app.Get("/metrics", adaptor.HTTPHandler(promhttp.HandlerFor(gatherer, promhttp.HandlerOpts{})))
}
