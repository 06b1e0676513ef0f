package bench

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// eventMark is a byte that each event has exactly once, and nothing else on a stream: the Z at the end of its instant.
// Counting bytes is the cheapest way to count events.
const eventMark = 'Z'

// viewers are connections that read a stream of events. One goroutine reads them all by epoll, because what a load
// generator spends, program and database lack.
type viewers struct {
	fds     []int
	groups  int // the i-th viewer gets every groups-th event, from event i % groups on
	epoll   int
	ending  atomic.Bool
	reading sync.WaitGroup

	seen      []int32 // events that each viewer has got
	got       []int32 // viewers that have got each event, in the order of events
	slots     chan struct{}
	completed atomic.Int64 // events that every viewer has got

	mu        sync.Mutex
	sent      []time.Time // when each event was sent, for latencies; may be shorter, and zero for events that do not count
	latencies samples     // of deliveries, in ms
}

// openViewers connects the given number of viewers of everything and returns once each has got everything up to the words given.
// Sending is allowed at most `ahead` events that not everybody has got yet.
func openViewers(b testing.TB, address string, n int, request []byte, until string, ahead int) *viewers {
	b.Helper()
	return openGroups(b, address, n, 1, func(int) []byte { return request }, until, ahead)
}

// openGroups is openViewers with viewers whose requests differ: the i-th gets the events of its group, i % groups. Events
// have to be sent to one group after the other.
func openGroups(b testing.TB, address string, n, groups int, request func(viewer int) []byte, until string, ahead int) *viewers {
	b.Helper()
	v := &viewers{groups: groups, seen: make([]int32, n), slots: make(chan struct{}, ahead)}
	var err error
	v.epoll, err = syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	require.NoError(b, err)
	b.Cleanup(v.close)
	for range ahead {
		v.slots <- struct{}{}
	}
	for i := range n {
		fd, err := open(address, request(i), until)
		require.NoError(b, err, "viewer %d", i)
		v.fds = append(v.fds, fd)
		event := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(i)}
		require.NoError(b, syscall.EpollCtl(v.epoll, syscall.EPOLL_CTL_ADD, fd, &event))
	}
	v.reading.Go(v.read)
	return v
}

// open connects one viewer.
func open(address string, request []byte, until string) (fd int, err error) {
	target, err := net.ResolveTCPAddr("tcp4", address)
	if err != nil {
		return 0, err
	}
	fd, err = syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	err = syscall.Connect(fd, &syscall.SockaddrInet4{Port: target.Port, Addr: [4]byte(target.IP.To4())})
	if err == nil {
		_, err = syscall.Write(fd, request)
	}
	var text []byte
	var buffer [4096]byte
	for err == nil && !bytes.Contains(text, []byte(until)) {
		n := 0
		n, err = syscall.Read(fd, buffer[:])
		if err == nil && n <= 0 {
			err = fmt.Errorf("the stream ended after %q", text)
		}
		text = append(text, buffer[:max(n, 0)]...)
	}
	if err == nil {
		err = syscall.SetNonblock(fd, true)
	}
	if err != nil {
		_ = syscall.Close(fd)
	}
	return fd, err
}

func (v *viewers) close() {
	if v.ending.Swap(true) {
		return
	}
	v.reading.Wait()
	for _, fd := range v.fds {
		_ = syscall.Close(fd)
	}
	_ = syscall.Close(v.epoll)
}

// read counts what comes until the viewers are closed.
func (v *viewers) read() {
	ready := make([]syscall.EpollEvent, 512)
	buffer := make([]byte, 256<<10)
	for !v.ending.Load() {
		n, err := syscall.EpollWait(v.epoll, ready, 100)
		if err != nil && !errors.Is(err, syscall.EINTR) {
			return
		}
		for _, event := range ready[:max(n, 0)] {
			size, err := syscall.Read(v.fds[event.Fd], buffer)
			if errors.Is(err, syscall.EAGAIN) {
				continue
			}
			if err != nil || size <= 0 { // await notices it
				_ = syscall.EpollCtl(v.epoll, syscall.EPOLL_CTL_DEL, v.fds[event.Fd], nil)
				continue
			}
			if events := bytes.Count(buffer[:size], []byte{eventMark}); events > 0 {
				v.note(int(event.Fd), events)
			}
		}
	}
}

// note counts events that a viewer has got.
func (v *viewers) note(viewer, events int) {
	now := time.Now()
	v.mu.Lock()
	defer v.mu.Unlock()
	for range events {
		k := int(v.seen[viewer])*v.groups + viewer%v.groups
		v.seen[viewer]++
		for k >= len(v.got) {
			v.got = append(v.got, 0)
		}
		v.got[k]++
		if k < len(v.sent) && !v.sent[k].IsZero() {
			v.latencies = append(v.latencies, ms(now.Sub(v.sent[k])))
		}
		if int(v.got[k]) == len(v.fds)/v.groups {
			v.completed.Add(1)
			select {
			case v.slots <- struct{}{}:
			default:
			}
		}
	}
}

// mark notes that the next event is sent at the time given.
func (v *viewers) mark(at time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.sent = append(v.sent, at)
}

// slot waits until another event may be sent.
func (v *viewers) slot() error {
	select {
	case <-v.slots:
		return nil
	case <-time.After(patience):
		return fmt.Errorf("not every viewer got its events: %d are complete", v.completed.Load())
	}
}

// await waits until every viewer has got the given number of events in all.
func (v *viewers) await(events int64) error {
	for began := time.Now(); v.completed.Load() < events; time.Sleep(50 * time.Microsecond) {
		if time.Since(began) > patience {
			return fmt.Errorf("not every viewer got its events: %d of %d are complete", v.completed.Load(), events)
		}
	}
	return nil
}
