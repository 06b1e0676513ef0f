package series

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"telltale/platform/postgres/pgtest"
)

// statesOf returns states of series that come in no order: each of the devices has the number of metrics given.
func statesOf(devices, metrics int) []State {
	states := make([]State, 0, devices*metrics)
	for n := range devices * metrics {
		i := n * 7919 % (devices * metrics) // a prime: each once
		states = append(states, State{Series: Series{
			ID: int32(n + 1), Device: fmt.Sprintf("device-%07d", i%devices), Metric: fmt.Sprintf("metric-%06d", i/devices),
		}, LastTS: NoReading})
	}
	return states
}

// BenchmarkRegistry_Learns shows what a series costs that comes with others, in one device and in many.
func BenchmarkRegistry_Learns(b *testing.B) {
	for _, shape := range [][2]int{{1, 1_000}, {1, 10_000}, {1, 40_000}, {40_000, 1}, {1_000, 40}} {
		states := statesOf(shape[0], shape[1])
		b.Run(fmt.Sprintf("devices=%d/metrics=%d", shape[0], shape[1]), func(b *testing.B) {
			for b.Loop() {
				NewRegistry(nil).Add(states)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(states)), "ns/series")
		})
	}
}

// BenchmarkRegistry_LearnsOneByOne shows what a series costs that comes alone.
func BenchmarkRegistry_LearnsOneByOne(b *testing.B) {
	for _, shape := range [][2]int{{1, 1_000}, {1, 40_000}, {40_000, 1}} {
		states := statesOf(shape[0], shape[1])
		b.Run(fmt.Sprintf("devices=%d/metrics=%d", shape[0], shape[1]), func(b *testing.B) {
			for b.Loop() {
				registry := NewRegistry(nil)
				for i := range states {
					registry.Add(states[i : i+1])
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(states)), "ns/series")
		})
	}
}

// BenchmarkRegistry_FindsMetrics shows what ingest pays to know a device and its metrics.
func BenchmarkRegistry_FindsMetrics(b *testing.B) {
	for _, metrics := range []int{2, 8, 50, 1_000} {
		registry := NewRegistry(nil)
		states := statesOf(1_000, metrics)
		registry.Add(states)
		b.Run(fmt.Sprintf("metrics=%d", metrics), func(b *testing.B) {
			i := 0
			for b.Loop() {
				s := &states[i%len(states)]
				i++
				if _, ok := registry.Metrics([]byte(s.Device)).Find([]byte(s.Metric)); !ok {
					b.Fatal("not found")
				}
			}
		})
	}
}

// BenchmarkRegistry_Registers shows what a new series costs with the database.
func BenchmarkRegistry_Registers(b *testing.B) {
	for _, shape := range [][2]int{{1, 1_000}, {1, 10_000}, {10_000, 1}} {
		b.Run(fmt.Sprintf("devices=%d/metrics=%d", shape[0], shape[1]), func(b *testing.B) {
			registry, n := NewRegistry(pgtest.New(b)), 0
			for b.Loop() {
				n++
				wanted := make([]Name, 0, shape[0]*shape[1])
				for _, s := range statesOf(shape[0], shape[1]) {
					wanted = append(wanted, Name{fmt.Sprintf("%d-%s", n, s.Device), s.Metric})
				}
				missing, err := registry.Register(b.Context(), wanted, true)
				require.NoError(b, err)
				require.Empty(b, missing)
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*shape[0]*shape[1]), "µs/series")
		})
	}
}
