package bench

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// BenchmarkStart measures the time from the start of the process to the first 200 of /readyz, on a database with a week of
// readings whose server runs already, beside that from the start of an echo server to the first connection.
func BenchmarkStart(b *testing.B) {
	data.serve(b)
	require.NoError(b, data.close())
	var ready, echoes samples
	for b.Loop() {
		for range 5 {
			p := startProgram(b, data.cfg)
			p.stop()
			ready = append(ready, ms(p.ready))
			began := time.Now()
			startEcho(b)
			echoes = append(echoes, ms(time.Since(began)))
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(ready.at(0.5), "ms")
	b.ReportMetric(ready.at(1), "worst-ms")
	b.ReportMetric(echoes.at(0.5), "echo-ms")
	startGoal.is(ready.at(0.5), "ms: a bare echo server", echoes.at(0.5))
}

// BenchmarkImage builds the binary as the Dockerfile does and reports its size, which with 0.2 MB of certificates beside it is
// that of the image; compressed as it is in a registry, too.
func BenchmarkImage(b *testing.B) {
	var size, compressed int
	for b.Loop() {
		path := build(b, filepath.Join(b.TempDir(), "telltale"))
		binary, err := os.ReadFile(path)
		require.NoError(b, err)
		var layer bytes.Buffer
		w := gzip.NewWriter(&layer)
		_, err = w.Write(binary)
		require.NoError(b, err)
		require.NoError(b, w.Close())
		size, compressed = len(binary), layer.Len()
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(size)/1e6, "MB")
	b.ReportMetric(float64(compressed)/1e6, "compressed-MB")
	imageGoal.is(float64(size)/1e6, "MB: compressed, as in a registry", float64(compressed)/1e6)
}
