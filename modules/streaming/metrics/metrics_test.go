package metrics

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
)

func TestDelay_IsNeverWhatOnlyAClockCanMake(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for ago, want := range map[time.Duration]float64{
		0: 0, 20 * time.Millisecond: .02, 10 * time.Second: 10, -time.Millisecond: 0, -100 * 365 * 24 * time.Hour: 0,
		time.Hour: 60, 100 * 365 * 24 * time.Hour: 60,
	} {
		require.InDelta(t, want, delaySince(now.Add(-ago), now), 1e-9, ago.String())
	}
}

func TestStreams_AreRegisteredOnceByTheirNames(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	m := New(registry, func() float64 { return 7 })
	m.Ends.WithLabelValues("client gone").Inc()
	m.Deliver(time.Now().Add(-30 * time.Second))
	m.Gaps.Add(2)
	families, err := registry.Gather()
	require.NoError(t, err)
	got := map[string]float64{}
	for _, family := range families {
		metric := family.GetMetric()[0]
		got[family.GetName()] = metric.GetCounter().GetValue() + metric.GetGauge().GetValue() + float64(metric.GetHistogram().GetSampleCount())
	}
	require.Equal(t, map[string]float64{
		"telltale_stream_viewers": 0, "telltale_stream_events_total": 0, "telltale_stream_bytes_total": 0, "telltale_stream_gaps_total": 2,
		"telltale_stream_coalesced_total": 0, "telltale_stream_wakes_total": 0, "telltale_stream_delay_seconds": 1, "telltale_stream_lag_batches": 7,
		"telltale_stream_ends_total": 1,
	}, got)
	require.Panics(t, func() { New(registry, func() float64 { return 0 }) })
}
