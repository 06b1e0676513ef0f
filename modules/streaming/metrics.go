package streaming

import "github.com/prometheus/client_golang/prometheus"

// metrics counts what streams do.
type metrics struct {
	viewers prometheus.Gauge
	events  prometheus.Counter
	bytes   prometheus.Counter
	gaps    prometheus.Counter
	ends    *prometheus.CounterVec
}

// newMetrics registers the metrics of streams. It panics when they are registered already.
func newMetrics(registerer prometheus.Registerer) *metrics {
	m := &metrics{
		viewers: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "telltale_stream_viewers", Help: "Streams that are open.",
		}),
		events: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "telltale_stream_events_total", Help: "Events of readings delivered, counted once for each viewer.",
		}),
		bytes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "telltale_stream_bytes_total", Help: "Bytes written to streams.",
		}),
		gaps: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "telltale_stream_gaps_total", Help: "Gap events sent: viewers who came back too late.",
		}),
		ends: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "telltale_stream_ends_total", Help: "Streams that ended, by reason.",
		}, []string{"reason"}),
	}
	registerer.MustRegister(m.viewers, m.events, m.bytes, m.gaps, m.ends)
	return m
}
