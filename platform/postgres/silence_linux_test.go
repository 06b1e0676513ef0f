package postgres

import (
	"net"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"telltale/config"
)

func TestAConnectionIsGivenUpWhenNothingIsAcknowledged(t *testing.T) {
	t.Parallel()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	settings, err := ConnConfig(config.DB{Host: "127.0.0.1", Port: 5432, Username: "u", Database: "d"})
	require.NoError(t, err)
	conn, err := settings.DialFunc(t.Context(), "tcp", listener.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })

	raw, err := conn.(*net.TCPConn).SyscallConn()
	require.NoError(t, err)
	var limit int
	require.NoError(t, raw.Control(func(fd uintptr) {
		limit, err = syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout)
	}))
	require.NoError(t, err)
	require.EqualValues(t, silenceLimit.Milliseconds(), limit)
}
