package bench

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/platform/httpserver/httpservertest"
)

// BenchmarkHealth asks for the health every few milliseconds while 8 clients read days of 100 devices without a pause.
// Beside it, a server that does nothing but echo is asked by the same process: what the machine leaves to anyone.
func BenchmarkHealth(b *testing.B) {
	p := data.serve(b)
	request := ask(p, everyone(), readAt, readAt+day)
	echo := startEcho(b)
	var stop atomic.Bool
	var readers sync.WaitGroup
	var reads atomic.Int64
	for range 8 {
		c := p.client(b)
		readers.Go(func() {
			for !stop.Load() {
				if err := c.call(request); err != nil {
					b.Error(err)
					return
				}
				reads.Add(1)
			}
		})
	}
	defer func() { stop.Store(true); readers.Wait() }()
	var all probed
	began := time.Now()
	for b.Loop() {
		more := runProbe(b, p.address, echo, *span)
		all.Health, all.Echo = append(all.Health, more.Health...), append(all.Echo, more.Echo...)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(reads.Load())/time.Since(began).Seconds(), "reads/s")
	b.ReportMetric(all.Health.at(0.5), "p50-ms")
	b.ReportMetric(all.Health.at(0.99), "p99-ms")
	b.ReportMetric(all.Health.at(1), "max-ms")
	b.ReportMetric(all.Echo.at(0.5), "echo-p50-ms")
	b.ReportMetric(all.Echo.at(0.99), "echo-p99-ms")
	healthGoal.is(all.Health.at(0.99), "ms: a bare echo server", all.Echo.at(0.99))
}

// probed are response times in ms.
type probed struct{ Health, Echo samples }

// startEcho runs this binary as an echo server and returns its address.
func startEcho(b testing.TB) string {
	b.Helper()
	address := fmt.Sprintf("127.0.0.1:%d", httpservertest.Port(b))
	self, err := os.Executable()
	require.NoError(b, err)
	c := spawn(b, shared.folder(b)+"/echo.log", []string{roleVariable + "=echo"}, self, address)
	b.Cleanup(c.stop)
	require.Eventually(b, func() bool {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
		}
		return err == nil
	}, patience, time.Millisecond)
	return address
}

// echo is the role of a server that answers each line with itself.
func echo(args []string) error {
	l, err := net.Listen("tcp", args[0])
	if err != nil {
		return err
	}
	for {
		conn, err := l.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer conn.Close()
			in := bufio.NewReader(conn)
			for {
				line, err := in.ReadSlice('\n')
				if err != nil {
					return
				}
				if _, err := conn.Write(line); err != nil {
					return
				}
			}
		}()
	}
}

// runProbe runs this binary as a process that asks both servers by turns.
func runProbe(b testing.TB, program, echo string, span time.Duration) (result probed) {
	b.Helper()
	self, err := os.Executable()
	require.NoError(b, err)
	cmd := exec.Command(self, program, echo, span.String())
	cmd.Env = []string{roleVariable + "=probe"}
	endWithParent(cmd)
	output, err := cmd.Output()
	require.NoError(b, err)
	require.NoError(b, json.Unmarshal(output, &result))
	return result
}

// probe is the role of runProbe's process.
func probe(args []string) error {
	span, err := time.ParseDuration(args[2])
	if err != nil {
		return err
	}
	program, err := dial(args[0])
	if err != nil {
		return err
	}
	echo, err := dial(args[1])
	if err != nil {
		return err
	}
	var result probed
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for began := time.Now(); time.Since(began) < span; <-ticker.C {
		asked := time.Now()
		answer, err := program.do([]byte("GET /api/health HTTP/1.1\r\nHost: bench\r\n\r\n"))
		if err != nil || answer.status != http.StatusOK {
			return fmt.Errorf("asking for the health: %d %w", answer.status, err)
		}
		result.Health = append(result.Health, ms(time.Since(asked)))
		asked = time.Now()
		if _, err := echo.conn.Write([]byte(strings.Repeat("x", 400) + "\n")); err != nil {
			return err
		}
		if _, err := echo.in.ReadSlice('\n'); err != nil {
			return err
		}
		result.Echo = append(result.Echo, ms(time.Since(asked)))
	}
	return json.NewEncoder(os.Stdout).Encode(result)
}
