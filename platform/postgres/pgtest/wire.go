package pgtest

import (
	"io"
	"net"
	"sync"
	"testing"

	"telltale/config"
)

// Way is a direction of what passes between a client and its server.
type Way int

// The ways that a Wire can be silent.
const (
	ToServer Way = 1 << iota
	ToClient
	BothWays = ToServer | ToClient
)

// Wire stands between clients and a server, and can stop passing on what they say without closing anything, as a machine does
// that vanishes, a process that is frozen, or a proxy that hangs. Connections that are opened meanwhile are as silent.
type Wire struct {
	relay relay

	mu    sync.Mutex
	gates map[Way]chan struct{} // closed where bytes pass
}

// OverWire returns the settings of connections over a wire to the server that cfg leads to. It ends with t.
func OverWire(t testing.TB, cfg config.DB) (*Wire, config.DB) {
	t.Helper()
	w := &Wire{gates: map[Way]chan struct{}{}}
	w.relay.toServer = func(to, from net.Conn) { w.pass(to, from, ToServer) }
	w.relay.toClient = func(to, from net.Conn) { w.pass(to, from, ToClient) }
	w.Speak()
	return w, w.relay.start(t, cfg, w.Speak)
}

// Hush has nothing pass the ways given any more. What is said meanwhile passes with Speak.
func (w *Wire) Hush(ways Way) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, way := range []Way{ToServer, ToClient} {
		if ways&way != 0 {
			w.gates[way] = make(chan struct{})
		}
	}
}

// Speak has everything pass again.
func (w *Wire) Speak() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, way := range []Way{ToServer, ToClient} {
		if gate := w.gates[way]; gate == nil {
			w.gates[way] = make(chan struct{})
		}
		select {
		case <-w.gates[way]:
		default:
			close(w.gates[way])
		}
	}
}

// Cut closes every connection.
func (w *Wire) Cut() { w.relay.cut(false) }

// Calls returns how many connections have been opened.
func (w *Wire) Calls() int {
	w.relay.mu.Lock()
	defer w.relay.mu.Unlock()
	return w.relay.calls
}

func (w *Wire) pass(to io.Writer, from io.Reader, way Way) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		<-w.gate(way)
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (w *Wire) gate(way Way) <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.gates[way]
}
