// Package metrics counts what streams do, for Prometheus. It decides nothing: streams report to it.
//
// Operators' dashboards depend on the names and meanings of the metrics: they are a contract, and do not change.
package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Streams are the metrics of all streams of an instance.
type Streams struct {
	Viewers   prometheus.Gauge
	Events    prometheus.Counter
	Bytes     prometheus.Counter
	Gaps      prometheus.Counter
	Coalesced prometheus.Counter
	Wakes     prometheus.Counter
	delay     prometheus.Histogram
	Ends      *prometheus.CounterVec
}

// New registers the metrics of streams. It panics when they are registered already.
func New(registerer prometheus.Registerer, furthest func() float64) *Streams {
	m := &Streams{
		Viewers: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "telltale_stream_viewers", Help: "Streams that are open.",
		}),
		Events: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "telltale_stream_events_total", Help: "Events of readings delivered, counted once for each viewer.",
		}),
		Bytes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "telltale_stream_bytes_total", Help: "Bytes written to streams.",
		}),
		Gaps: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "telltale_stream_gaps_total", Help: "Gap events sent: viewers who came back too late, or were slow and asked for gaps.",
		}),
		Coalesced: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "telltale_stream_coalesced_total", Help: "Times that a slow viewer got newest readings instead of all.",
		}),
		Wakes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "telltale_stream_wakes_total", Help: "Times that a viewer was woken to read on by itself: its connection took not all at once, or it was too much for one write.",
		}),
		delay: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "telltale_stream_delay_seconds",
			Help:    "From the commit of a batch, by the database's clock, until a pump has written it to its viewers; between 0 and 60, since clocks differ.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}),
		Ends: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "telltale_stream_ends_total", Help: "Streams that ended, by reason.",
		}, []string{"reason"}),
	}
	behind := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "telltale_stream_lag_batches", Help: "Batches that the viewer who is furthest behind has not got yet, although they are due.",
	}, furthest)
	registerer.MustRegister(behind, m.Viewers, m.Events, m.Bytes, m.Gaps, m.Coalesced, m.Wakes, m.delay, m.Ends)
	return m
}

// maxDelay is longer than any viewer waits that a pump serves. A longer delay means that a clock was set.
const maxDelay = time.Minute

// delaySince returns the seconds from a batch's commit, by the database's clock, until now by the clock of this machine. The
// clocks differ, and either may be set: impossible delays must not distort the sum.
func delaySince(committed, now time.Time) float64 {
	return min(max(now.Sub(committed), 0), maxDelay).Seconds()
}

// Deliver records the delivery of a batch that was committed at the given time.
func (m *Streams) Deliver(committed time.Time) { m.delay.Observe(delaySince(committed, time.Now())) }
