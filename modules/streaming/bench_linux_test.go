package streaming

import (
	"context"
	"fmt"
	"math"
	"net"
	"net/url"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/platform/postgres/pgtest"
)

// crowd is many clients on bare sockets, read by one goroutine, so that a benchmark measures the server.
type crowd struct {
	sockets  []int
	poll     int
	received atomic.Int64 // bytes
	grew     chan struct{}

	posted    atomic.Int64    // when the event under way was posted, Unix ns
	latencies []time.Duration // of each read, if posted is set; the reading goroutine's until it has ended
	stop      func()          // ends reading
}

// joinCrowd opens n streams and waits until every one has got its first words.
func joinCrowd(b *testing.B, i *instance, n int, query func(k int) string) *crowd {
	b.Helper()
	base, err := url.Parse(i.server.URL)
	require.NoError(b, err)
	address, err := net.ResolveTCPAddr("tcp", base.Host)
	require.NoError(b, err)
	c := newCrowd(b)
	for k := range n {
		fd := c.dial(b, address)
		_, err = syscall.Write(fd, fmt.Appendf(nil, "GET /api/stream?%s HTTP/1.1\r\nHost: x\r\n\r\n", query(k)))
		require.NoError(b, err)
	}
	for _, fd := range c.sockets {
		var words [2048]byte
		for size := 0; size < 400 || words[size-2] != '\n' || words[size-1] != '\n'; {
			n, err := syscall.Read(fd, words[size:])
			require.NoError(b, err)
			require.Positive(b, n)
			size += n
		}
	}
	c.watch(b)
	return c
}

func newCrowd(b *testing.B) *crowd {
	poll, err := syscall.EpollCreate1(0)
	require.NoError(b, err)
	return &crowd{poll: poll, grew: make(chan struct{}, 1)}
}

func (c *crowd) dial(b *testing.B, address *net.TCPAddr) int {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	require.NoError(b, err)
	require.NoError(b, syscall.Connect(fd, &syscall.SockaddrInet4{Port: address.Port, Addr: [4]byte(address.IP.To4())}))
	c.sockets = append(c.sockets, fd)
	return fd
}

// watch reads whatever comes until the benchmark ends.
func (c *crowd) watch(b *testing.B) {
	for _, fd := range c.sockets {
		require.NoError(b, syscall.SetNonblock(fd, true))
		require.NoError(b, syscall.EpollCtl(c.poll, syscall.EPOLL_CTL_ADD, fd, &syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(fd)}))
	}
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		events, buffer := make([]syscall.EpollEvent, 512), make([]byte, 256<<10)
		for {
			select {
			case <-stop:
				return
			default:
			}
			n, _ := syscall.EpollWait(c.poll, events, 10)
			total := 0
			for k := range max(n, 0) {
				if size, err := syscall.Read(int(events[k].Fd), buffer); err == nil {
					total += size
				}
				if at := c.posted.Load(); at != 0 {
					c.latencies = append(c.latencies, time.Since(time.Unix(0, at)))
				}
			}
			c.received.Add(int64(total))
			select {
			case c.grew <- struct{}{}:
			default:
			}
		}
	}()
	c.stop = sync.OnceFunc(func() { close(stop); <-done })
	b.Cleanup(func() {
		c.stop()
		for _, fd := range c.sockets {
			_ = syscall.Close(fd)
		}
		_ = syscall.Close(c.poll)
	})
}

// await waits until the crowd has received the given number of bytes in all.
func (c *crowd) await(bytes int64) {
	for c.received.Load() < bytes {
		<-c.grew
	}
}

func everything(int) string { return "" }

// fanOut has events delivered to viewers by deliver, which must make each viewer get size bytes an event; underWay says how
// many events are under way at a time.
func fanOut(b *testing.B, c *crowd, size int64, underWay int, deliver func()) {
	viewers := int64(len(c.sockets))
	b.ResetTimer()
	for n := range b.N {
		if behind := int64(n - underWay + 1); behind > 0 {
			c.await(behind * size * viewers)
		}
		deliver()
	}
	c.await(int64(b.N) * size * viewers)
	b.ReportMetric(float64(viewers*int64(b.N))/b.Elapsed().Seconds(), "deliveries/s")
}

// eventBytes is the size of the n-th event that benchmarks post, which must not change within a run.
func eventBytes(b *testing.B, i *instance) int64 {
	seq := i.feed.Head()
	batches, _, ok := i.feed.Next(seq - 1)
	require.True(b, ok)
	_, bytes := i.hub.encoded.All(batches[0], math.MaxInt)
	return int64(bytes)
}

// BenchmarkFanOut delivers single events to 5,000 viewers of everything, four under way at a time, storing included, and
// in the same run the same bytes over bare sockets.
func BenchmarkFanOut(b *testing.B) {
	const viewers, underWay = 5000, 4
	b.Run("stream", func(b *testing.B) {
		i := start(b, pgtest.New(b))
		for range 1000 { // ids have the same length from here on
			i.post(b, datum{"greenhouse-7", "temperature", 1793491200000, 21.5})
		}
		size := eventBytes(b, i)
		c := joinCrowd(b, i, viewers, everything)
		fanOut(b, c, size, underWay, func() { i.post(b, datum{"greenhouse-7", "temperature", 1793491200000, 21.5}) })
	})
	b.Run("bare", func(b *testing.B) {
		c, served := bareCrowd(b, viewers)
		text := make([]byte, 110)
		fanOut(b, c, int64(len(text)), underWay, func() {
			for _, fd := range served {
				if _, err := syscall.Write(fd, text); err != nil {
					b.Error(err)
				}
			}
		})
	})
}

// BenchmarkBurst delivers bursts of 100 events, posted by as many clients at once, to 1,000 viewers.
func BenchmarkBurst(b *testing.B) {
	const viewers, burst = 1000, 100
	i := start(b, pgtest.New(b))
	i.post(b, datum{"greenhouse-7", "temperature", 1793491200000, 21.5})
	c := joinCrowd(b, i, viewers, everything)
	seq, bytes := i.feed.Head(), int64(0)
	b.ResetTimer()
	for range b.N {
		var posted sync.WaitGroup
		for k := range burst {
			posted.Go(func() { i.post(b, datum{"greenhouse-7", "temperature", int64(k), 21.5}) })
		}
		posted.Wait()
		batches, _, ok := i.feed.Next(seq)
		require.True(b, ok)
		for _, batch := range batches {
			_, size := i.hub.encoded.All(batch, math.MaxInt)
			bytes += int64(size)
			seq = batch.Seq
		}
		c.await(bytes * viewers)
	}
	b.ReportMetric(float64(viewers*burst*b.N)/b.Elapsed().Seconds(), "deliveries/s")
}

// BenchmarkLatency posts an event every 100 ms to 1,000 viewers: 10,000 deliveries a second, storing included.
func BenchmarkLatency(b *testing.B) {
	const viewers, pause = 1000, 100 * time.Millisecond
	i := start(b, pgtest.New(b))
	for range 100 {
		i.post(b, datum{"greenhouse-7", "temperature", 1793491200000, 21.5})
	}
	size := eventBytes(b, i)
	c := joinCrowd(b, i, viewers, everything)
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	b.ResetTimer()
	for n := range b.N {
		<-ticker.C
		c.posted.Store(time.Now().UnixNano())
		i.post(b, datum{"greenhouse-7", "temperature", 1793491200000, 21.5})
		c.await(int64(n+1) * viewers * size)
	}
	c.stop()
	slices.Sort(c.latencies)
	for _, percent := range []int{50, 99} {
		at := c.latencies[len(c.latencies)*percent/100]
		b.ReportMetric(float64(at.Microseconds())/1000, fmt.Sprintf("p%d-ms", percent))
	}
}

// BenchmarkIdleViewer measures the memory of a viewer of one device.
func BenchmarkIdleViewer(b *testing.B) {
	const viewers = 4000
	i := start(b, pgtest.New(b))
	for b.Loop() {
		before := memory()
		joinCrowd(b, i, viewers, func(k int) string { return fmt.Sprintf("device=device-%d", k) })
		i.post(b, datum{"device-1", "m", 1, 1})
		b.ReportMetric(float64(memory()-before)/viewers, "B/viewer")
	}
}

// memory returns what the heap and the stacks hold, once garbage is collected and stacks have shrunk.
func memory() int64 {
	for range 6 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}

// bareCrowd connects clients to sockets that no server serves, and returns the serving ends.
func bareCrowd(b *testing.B, n int) (*crowd, []int) {
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	require.NoError(b, err)
	defer listener.Close()
	c := newCrowd(b)
	var served []int
	for range n {
		c.dial(b, listener.Addr().(*net.TCPAddr))
		conn, err := listener.Accept()
		require.NoError(b, err)
		file, err := conn.(*net.TCPConn).File()
		require.NoError(b, err)
		_ = conn.Close()
		require.NoError(b, syscall.SetNonblock(int(file.Fd()), true))
		b.Cleanup(func() { _ = file.Close() })
		served = append(served, int(file.Fd()))
	}
	c.watch(b)
	return c, served
}
