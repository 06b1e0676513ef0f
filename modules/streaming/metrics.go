package streaming

import "github.com/prometheus/client_golang/prometheus"

// metrics counts what streams do.
type metrics struct {
	viewers   prometheus.Gauge
	events    prometheus.Counter
	bytes     prometheus.Counter
	gaps      prometheus.Counter
	coalesced prometheus.Counter
	wakes     prometheus.Counter
	delay     prometheus.Histogram
	ends      *prometheus.CounterVec
}

// newMetrics registers the metrics of streams. It panics when they are registered already.
func newMetrics(registerer prometheus.Registerer, furthest func() float64) *metrics {
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
			Name: "telltale_stream_gaps_total", Help: "Gap events sent: viewers who came back too late, or were slow and asked for gaps.",
		}),
		coalesced: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "telltale_stream_coalesced_total", Help: "Times that a slow viewer got newest readings instead of all.",
		}),
		wakes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "telltale_stream_wakes_total", Help: "Times that a viewer was woken to read on by itself: its connection took not all at once, or it was too much for one write.",
		}),
		delay: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "telltale_stream_delay_seconds",
			Help:    "From the commit of a batch, by the database's clock, until a pump has written it to its viewers.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}),
		ends: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "telltale_stream_ends_total", Help: "Streams that ended, by reason.",
		}, []string{"reason"}),
	}
	behind := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "telltale_stream_lag_batches", Help: "Batches that the viewer who is furthest behind has not got yet, although they are due.",
	}, furthest)
	registerer.MustRegister(behind, m.viewers, m.events, m.bytes, m.gaps, m.coalesced, m.wakes, m.delay, m.ends)
	return m
}
