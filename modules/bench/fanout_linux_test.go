package bench

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/platform/httpserver/httpservertest"
)

func init() { roles["fanout"] = fanout }

// barestEvent is an event as the program sends it.
const barestEvent = "id: 123456:7\nevent: reading\ndata: {\"device\":\"device-042\",\"ts\":\"2026-11-01T00:00:00.000Z\",\"values\":{\"humidity\":21.5}}\n\n"

// bare is a process that does the least that a fan-out can do: it writes ready-made bytes to its viewers.
type bare struct {
	*child
	address string
	control net.Conn
}

// startBare runs this binary as a bare fan-out to groups of viewers: the i-th that connects belongs to group i % groups.
func startBare(b testing.TB, groups int) *bare {
	b.Helper()
	address := fmt.Sprintf("127.0.0.1:%d", httpservertest.Port(b))
	socket := filepath.Join(b.TempDir(), "control")
	self, err := os.Executable()
	require.NoError(b, err)
	c := spawn(b, filepath.Join(shared.folder(b), "bare.log"), []string{roleVariable + "=fanout"}, self, address, socket, strconv.Itoa(groups))
	b.Cleanup(c.stop)
	var control net.Conn
	require.Eventually(b, func() bool {
		var err error
		control, err = net.Dial("unix", socket)
		return err == nil
	}, patience, 10*time.Millisecond)
	b.Cleanup(func() { control.Close() })
	return &bare{c, address, control}
}

// send has this number of events written to every viewer of a group.
func (f *bare) send(group, events int) error {
	_, err := f.control.Write(bytes.Repeat([]byte{byte(group)}, events))
	return err
}

// fanout is the role of startBare's process: for each byte on the control connection it writes one event to every
// connection of the group that the byte names, joining those that have come together.
func fanout(args []string) error {
	groups, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", args[0])
	if err != nil {
		return err
	}
	var mu sync.Mutex
	var conns []net.Conn
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			_, _ = conn.Write([]byte("hello\n")) // a viewer that has gone is of no interest
			conns = append(conns, conn)
			mu.Unlock()
		}
	}()
	commands, err := net.Listen("unix", args[1])
	if err != nil {
		return err
	}
	control, err := commands.Accept()
	if err != nil {
		return err
	}
	orders := make([]byte, 1000)
	text := []byte(strings.Repeat(barestEvent, len(orders)))
	for {
		n, err := control.Read(orders)
		if err != nil {
			return err
		}
		events := make([]int, groups)
		for _, group := range orders[:n] {
			events[group]++
		}
		mu.Lock()
		for i, conn := range conns {
			if n := events[i%groups]; n > 0 {
				_, _ = conn.Write(text[:n*len(barestEvent)])
			}
		}
		mu.Unlock()
	}
}
