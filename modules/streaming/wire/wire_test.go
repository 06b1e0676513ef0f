package wire

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"telltale/platform/hangup"
	"telltale/platform/httpserver"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pair returns a viewer's connection, prepared, its client's side, and what tells of the client's end.
func pair(t *testing.T) (c *Conn, client net.Conn, gone chan error) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	client, err = net.Dial("tcp", listener.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { client.Close() })
	conn, err := listener.Accept()
	require.NoError(t, err)
	hangups, err := hangup.Open()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, hangups.Close()) })
	c, gone = &Conn{Socket: &httpserver.Socket{Conn: conn}}, make(chan error, 1)
	require.NoError(t, c.Prepare(hangups, time.Minute, func(err error) { gone <- err }))
	t.Cleanup(func() {
		c.Unwatch()
		conn.Close()
	})
	return c, client, gone
}

// fill sends until the socket takes nothing, and returns how much it took.
func fill(s *Sender, c *Conn) (total int) {
	piece := make([]byte, 64<<10)
	for n := len(piece); n > 0; total += n {
		n = s.Send(c, piece)
	}
	return total
}

func TestSender_WritesWhatTheSocketTakesAndNeverWaits(t *testing.T) {
	t.Parallel()
	c, client, _ := pair(t)
	s := NewSender()
	require.Equal(t, 5, s.Send(c, []byte("hello")))
	total := 5 + fill(s, c)
	require.Zero(t, s.Send(c, []byte("more")))
	got := make([]byte, total)
	_, err := io.ReadFull(client, got)
	require.NoError(t, err)
	require.Equal(t, "hello", string(got[:5]))
	require.Nil(t, s.target, "what was written is not kept")
}

func TestSender_LeavesErrorsToOthers(t *testing.T) {
	t.Parallel()
	c, _, _ := pair(t)
	require.NoError(t, c.Conn.Close())
	require.Zero(t, NewSender().Send(c, []byte("x")))
}

func TestConn_WaitsUntilTheSocketTakesMore(t *testing.T) {
	t.Parallel()
	c, client, _ := pair(t)
	total := fill(NewSender(), c)
	attempts, wrote := 0, 0
	read := make(chan error, 1)
	require.NoError(t, c.WhenWritable(func(fd uintptr) (bool, error) {
		attempts++
		n, err := Write(fd, []byte("x"))
		wrote += n
		if n == 0 && attempts == 1 { // only now does the client make room
			go func() { _, err := io.CopyN(io.Discard, client, int64(total)); read <- err }()
		}
		return n > 0, err
	}))
	require.Greater(t, attempts, 1)
	require.Equal(t, 1, wrote)
	require.NoError(t, <-read)
}

func TestConn_EndsItsWaitForTheSocket(t *testing.T) {
	t.Parallel()
	never := func(fd uintptr) (bool, error) {
		n, err := Write(fd, []byte("x"))
		return n > 0, err
	}
	c, client, gone := pair(t)
	fill(NewSender(), c)
	require.NoError(t, c.SetWriteDeadline(time.Now().Add(-time.Second)))
	require.ErrorIs(t, c.WhenWritable(never), os.ErrDeadlineExceeded)

	require.NoError(t, c.SetWriteDeadline(time.Time{}))
	why := errors.New("enough")
	require.ErrorIs(t, c.WhenWritable(func(uintptr) (bool, error) { return false, why }), why)

	require.NoError(t, client.(*net.TCPConn).SetLinger(0))
	require.NoError(t, client.Close())
	require.Error(t, <-gone)
	err := c.WhenWritable(never)
	require.True(t, errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE), "%v", err)
}

func TestConn_TellsOnceThatTheClientHasGone(t *testing.T) {
	t.Parallel()
	_, client, gone := pair(t)
	_, err := client.Write([]byte("it says something first"))
	require.NoError(t, err)
	require.NoError(t, client.Close())
	require.ErrorIs(t, <-gone, io.EOF)
}

func TestConn_ThatWasNotPreparedIsClosed(t *testing.T) {
	t.Parallel()
	local, remote := net.Pipe()
	defer local.Close()
	defer remote.Close()
	c := &Conn{Socket: &httpserver.Socket{Conn: local}}
	require.ErrorIs(t, c.WhenWritable(func(uintptr) (bool, error) { return true, nil }), net.ErrClosed)
	c.Unwatch()
	require.ErrorContains(t, c.Prepare(nil, 0, nil), "a socket of the operating system")
}
