package bench

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// streaming returns the program on an empty database whose series exist, and the request for a stream.
func streaming(b testing.TB) (p *program, request []byte) {
	b.Helper()
	p = runProgram(b, shared.database(b))
	p.login(b)
	require.NoError(b, newSender(b, p, everyone(), fleet).send())
	return p, p.get("/api/stream", url.Values{})
}

// opened ends what a stream says at its beginning.
const opened = "event: position"

// BenchmarkIdleViewer reports what each further viewer of everything that gets nothing costs the program: by its resident
// memory, and by what its Go runtime has in use. The first thousands are not counted: they fill what lies spare.
func BenchmarkIdleViewer(b *testing.B) {
	const n = 4000
	var resident, inUse, bareResident samples
	for b.Loop() {
		p, request := streaming(b)
		first := openViewers(b, p.address, n, request, opened, 1)
		before, used := idleMemory(b, p)
		further := openViewers(b, p.address, n, request, opened, 1)
		after, usedAfter := idleMemory(b, p)
		resident, inUse = append(resident, (after-before)*1024/n), append(inUse, (usedAfter-used)/1024/n)
		first.close()
		further.close()
		p.stop()
		bareResident = append(bareResident, bareMemory(b, n))
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(resident.at(0.5), "KiB/viewer")
	b.ReportMetric(inUse.at(0.5), "inuse-KiB/viewer")
	b.ReportMetric(bareResident.at(0.5), "bare-KiB/viewer")
	idleGoal.is(resident.at(0.5), "KiB: a socket of a Go program, without a goroutine", bareResident.at(0.5))
}

// bareMemory returns what each further connection costs a bare process, in KiB of its resident memory.
func bareMemory(b testing.TB, n int) float64 {
	b.Helper()
	bare := startBare(b, 1)
	defer bare.stop()
	first := openViewers(b, bare.address, n, []byte("\n"), "hello", 1)
	defer first.close()
	before, _ := memory(bare.cmd.Process.Pid)
	further := openViewers(b, bare.address, n, []byte("\n"), "hello", 1)
	defer further.close()
	after, _ := memory(bare.cmd.Process.Pid)
	return (after - before) * 1024 / float64(n)
}

// idleMemory returns resident memory in MiB, and what heap and stacks have in use in bytes, a moment later.
func idleMemory(b testing.TB, p *program) (resident, inUse float64) {
	b.Helper()
	time.Sleep(2 * time.Second)
	text := string(p.ask(b, p.get("/metrics", nil)))
	for line := range strings.Lines(text) {
		for _, name := range []string{"go_memstats_heap_inuse_bytes", "go_memstats_stack_inuse_bytes"} {
			var n float64
			if k, _ := fmt.Sscanf(line, name+" %g", &n); k == 1 {
				inUse += n
			}
		}
	}
	resident, _ = memory(p.cmd.Process.Pid)
	return resident, inUse
}

// underWay is how many events may be on their way to viewers at once.
const underWay = 4

// BenchmarkFanOut posts events, with four of them under way, to many viewers of everything, beside a process that writes
// the bytes of such events to as many connections, and nothing else.
func BenchmarkFanOut(b *testing.B) {
	for _, n := range []int{1000, 5000} {
		b.Run(fmt.Sprintf("%d-viewers", n), func(b *testing.B) {
			p, request := streaming(b)
			bare := startBare(b, 1)
			ours := openViewers(b, p.address, n, request, opened, underWay)
			theirs := openViewers(b, bare.address, n, []byte("\n"), "hello", underWay)
			var post []func() error
			for i := range underWay {
				s := newSingle(b, p, i)
				post = append(post, func() error {
					if err := ours.slot(); err != nil {
						return err
					}
					return s.send()
				})
			}
			order := []func() error{func() error {
				if err := theirs.slot(); err != nil {
					return err
				}
				return bare.send(0, 1)
			}}
			deliveries := func(v *viewers, calls []func() error) func() float64 {
				return func() float64 {
					began, before := time.Now(), v.completed.Load()
					hammer(b, *span/2, calls)
					done := v.completed.Load() - before
					took := time.Since(began)
					time.Sleep(time.Second) // for what is still under way
					return float64(done) * float64(n) / took.Seconds()
				}
			}
			medians := compare(b, "deliveries/s", contender{"", deliveries(ours, post)}, contender{"bare", deliveries(theirs, order)})
			if n == 5000 {
				fanOutGoal.is(medians[0], "/s: bare sockets, nothing stored", medians[1])
			}
		})
	}
}

// BenchmarkBursts posts bursts of 100 events to 1,000 viewers of everything, each when the last one has arrived, beside a
// bare process that writes the bytes of each burst at once.
func BenchmarkBursts(b *testing.B) {
	const n, burst = 1000, 100
	p, request := streaming(b)
	bare := startBare(b, 1)
	ours := openViewers(b, p.address, n, request, opened, 1)
	theirs := openViewers(b, bare.address, n, []byte("\n"), "hello", 1)
	s := newSender(b, p, everyone(), burst)
	var posted, ordered int64
	deliveries := func(call func() error) func() float64 {
		return func() float64 { return n * burst * hammer(b, *span/2, []func() error{call}) }
	}
	medians := compare(b, "deliveries/s",
		contender{"", deliveries(func() error {
			posted += burst
			if err := s.send(); err != nil {
				return err
			}
			return ours.await(posted)
		})},
		contender{"bare", deliveries(func() error {
			ordered += burst
			if err := bare.send(0, burst); err != nil {
				return err
			}
			return theirs.await(ordered)
		})},
	)
	burstsGoal.is(medians[0], "/s: bare sockets, nothing stored", medians[1])
	ours.mu.Lock()
	defer ours.mu.Unlock()
	require.Len(b, ours.got, int(posted), "each event came once")
}

// BenchmarkLatency reports how long it takes from the moment at which an event is posted until viewers have got it, storing
// included, at 10,000 deliveries a second to 1,000 viewers: of the instance that it is posted to, or of another one on the
// same database. Beside it, a bare process that stores nothing.
func BenchmarkLatency(b *testing.B) {
	const n, pause = 1000, 100 * time.Millisecond
	cfg := shared.database(b)
	p := runProgram(b, cfg)
	p.login(b)
	other := runProgram(b, cfg)
	poster := newSingle(b, p, 0)
	require.NoError(b, poster.send())
	for name, address := range map[string]string{"same-instance": p.address, "other-instance": other.address} {
		b.Run(name, func(b *testing.B) {
			bare := startBare(b, 1)
			ours := openViewers(b, address, n, p.get("/api/stream", url.Values{}), opened, 1)
			theirs := openViewers(b, bare.address, n, []byte("\n"), "hello", 1)
			var stored samples
			for b.Loop() {
				paced(b, ours, pause, func(int) error {
					began := time.Now()
					err := poster.send()
					stored = append(stored, ms(time.Since(began)))
					return err
				})
				paced(b, theirs, pause, func(int) error { return bare.send(0, 1) })
			}
			reportLatencies(b, ours.latencies, stored, theirs.latencies)
			const baseline = "ms: bare sockets, nothing stored"
			if address == other.address {
				acrossGoal.is(ours.latencies.at(0.99), baseline, theirs.latencies.at(0.99))
				return
			}
			p50Goal.is(ours.latencies.at(0.5), baseline, theirs.latencies.at(0.5))
			p99Goal.is(ours.latencies.at(0.99), baseline, theirs.latencies.at(0.99))
		})
	}
}

// reportLatencies reports how long events took to viewers, to storage, and through a bare process.
func reportLatencies(b *testing.B, ours, stored, theirs samples) {
	b.Helper()
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(ours.at(0.5), "p50-ms")
	b.ReportMetric(ours.at(0.99), "p99-ms")
	b.ReportMetric(stored.at(0.5), "stored-p50-ms") // when the poster has its answer
	b.ReportMetric(stored.at(0.99), "stored-p99-ms")
	b.ReportMetric(theirs.at(0.5), "bare-p50-ms")
	b.ReportMetric(theirs.at(0.99), "bare-p99-ms")
}

// BenchmarkMany is BenchmarkLatency with 5,000 viewers: two events a second make 10,000 deliveries.
func BenchmarkMany(b *testing.B) {
	const n, pause = 5000, 500 * time.Millisecond
	p, request := streaming(b)
	poster := newSingle(b, p, 0)
	bare := startBare(b, 1)
	ours := openViewers(b, p.address, n, request, opened, 1)
	theirs := openViewers(b, bare.address, n, []byte("\n"), "hello", 1)
	var stored samples
	for b.Loop() {
		paced(b, ours, pause, func(int) error {
			began := time.Now()
			err := poster.send()
			stored = append(stored, ms(time.Since(began)))
			return err
		})
		paced(b, theirs, pause, func(int) error { return bare.send(0, 1) })
	}
	reportLatencies(b, ours.latencies, stored, theirs.latencies)
	manyGoal.is(ours.latencies.at(0.99), "ms: bare sockets, nothing stored", theirs.latencies.at(0.99))
}

// BenchmarkOwnDevice has 10,000 viewers of one device each, and 10,000 deliveries a second: by posts of a hundred devices, as
// gateways send them, a hundred times a second, or of a thousand devices at once, ten times. A bare process does the same to
// as many connections, afterwards, for they are many.
func BenchmarkOwnDevice(b *testing.B) {
	const n = 10_000
	p := runProgram(b, shared.database(b))
	p.login(b)
	for _, run := range []struct {
		name   string
		groups int // of viewers, one of which each post is for
		goal   *goal
	}{{"100-a-post", 100, ownDeviceGoal}, {"1000-a-post", 10, ownDevicesGoal}} {
		b.Run(run.name, func(b *testing.B) {
			pause := time.Second / time.Duration(run.groups) // n deliveries a second
			var posts []*sender
			for g := range run.groups {
				var devices []int
				for d := g; d < n; d += run.groups {
					devices = append(devices, d)
				}
				posts = append(posts, newSender(b, p, devices, len(devices)))
				require.NoError(b, posts[g].send()) // the series exist from now on
			}
			watch := func(viewer int) []byte {
				return p.get("/api/stream", url.Values{"device": {deviceName(viewer)}})
			}
			var ours, stored, theirs samples
			for b.Loop() {
				v := openGroups(b, p.address, n, run.groups, watch, opened, 1)
				paced(b, v, pause, func(event int) error {
					began := time.Now()
					err := posts[event%run.groups].send()
					stored = append(stored, ms(time.Since(began)))
					return err
				})
				v.close()
				ours = append(ours, v.latencies...)
				bare := startBare(b, run.groups)
				v = openGroups(b, bare.address, n, run.groups, func(int) []byte { return []byte("\n") }, "hello", 1)
				paced(b, v, pause, func(event int) error { return bare.send(event%run.groups, 1) })
				v.close()
				bare.stop()
				theirs = append(theirs, v.latencies...)
			}
			reportLatencies(b, ours, stored, theirs)
			run.goal.is(ours.at(0.99), "ms: bare sockets, nothing stored", theirs.at(0.99))
		})
	}
}

// paced sends an event at each pause, by a function that is told their numbers, and waits until every viewer has got all. The
// first event of each group does not count: opening the connections is not what is measured.
func paced(b testing.TB, v *viewers, pause time.Duration, send func(event int) error) {
	b.Helper()
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	for range v.groups {
		v.mark(time.Time{})
		require.NoError(b, send(len(v.sent)-1))
		<-ticker.C
	}
	for began := time.Now(); time.Since(began) < *span; <-ticker.C {
		v.mark(time.Now())
		require.NoError(b, send(len(v.sent)-1))
	}
	require.NoError(b, v.await(int64(len(v.sent))))
}
