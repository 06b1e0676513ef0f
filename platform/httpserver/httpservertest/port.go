package httpservertest

import (
	"math/rand/v2"
	"net"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// Port returns a port of 127.0.0.1 that is t's alone until it ends, for a server that is started later, or again. It is
// below those that systems hand out by themselves: another process may take one of them before the server has it.
//
// Other tests, in other processes too, tell by the port of UDP with that number, which is taken.
func Port(t testing.TB) int {
	t.Helper()
	const lowest, highest = 10_000, 15_999
	for range 1000 {
		port := lowest + rand.IntN(highest-lowest+1)
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		claim, err := net.ListenPacket("udp", address)
		if err != nil {
			continue
		}
		t.Cleanup(func() { _ = claim.Close() })
		// To listen would be to leave the port to children that are being forked at this moment, for as long as that takes.
		conn, err := net.Dial("tcp", address)
		if err != nil {
			return port
		}
		_ = conn.Close() // another server has it
	}
	require.FailNow(t, "no port is free")
	return 0
}
