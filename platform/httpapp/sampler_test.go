package httpapp

import (
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	zapobserver "go.uber.org/zap/zaptest/observer"
)

func TestSampler_TellsWhatIsLeftAtTheEndOfAPeriod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := zapobserver.New(zapcore.InfoLevel)
		s := &sampler{every: 10, log: zap.New(core)}
		for range 4 {
			require.Zero(t, s.add(&exchange{route: "/a", bytes: 3}, time.Second))
		}
		time.Sleep(samplePeriod + time.Second)
		synctest.Wait()
		require.Len(t, logs.All(), 1)
		require.Equal(t, map[string]any{"route": "/a", "stands_for": int64(4), "bytes": int64(12), "duration_ms": time.Second}, logs.All()[0].ContextMap())
		time.Sleep(10 * samplePeriod)
		require.Len(t, logs.All(), 1, "nothing is left")
	})
}

// BenchmarkAccessLog measures the line of one request in the form that machines read; its bytes are reported.
func BenchmarkAccessLog(b *testing.B) {
	for name, every := range map[string]int{"each": 1, "one of 1000": 1000} {
		b.Run(name, func(b *testing.B) {
			out := &counted{}
			encoder := zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig())
			log := zap.New(zapcore.NewCore(encoder, zapcore.AddSync(out), zapcore.InfoLevel))
			o := &observer{log: log, sampler: &sampler{every: every, log: log}}
			x := &exchange{
				began: time.Now(), method: "POST", route: "/api/readings", path: "/api/readings", address: "203.0.113.17",
				requestID: "ABCDEFGHIJKLMNOPQRSTUVWXYZ", subject: "greenhouse", status: 200, bytes: 30, repetitive: true,
			}
			b.ReportAllocs()
			for b.Loop() {
				o.report(x)
			}
			b.ReportMetric(float64(out.n)/float64(b.N), "log-B/op")
		})
	}
}

// counted is a log that goes nowhere.
type counted struct{ n int64 }

func (c *counted) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return io.Discard.Write(p)
}
