package streaming

import (
	"fmt"
	"net"
	"net/url"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/platform/postgres/pgtest"
)

// What a vanished client never gets may be little, heartbeats perhaps, and fit into the system's buffers for hours.
func TestViewer_WhoseClientTakesNothingOfTheLittleThatIsSentIsCutOff(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t), func(o *options) { o.streaming.WriteTimeout = time.Second })
	base, err := url.Parse(i.server.URL)
	require.NoError(t, err)
	small := net.Dialer{Control: func(_, _ string, raw syscall.RawConn) (err error) {
		if failed := raw.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4096) }); failed != nil {
			return failed
		}
		return err
	}}
	conn, err := small.DialContext(t.Context(), "tcp", base.Host)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	_, err = fmt.Fprint(conn, "GET /api/stream HTTP/1.1\r\nHost: x\r\n\r\n")
	require.NoError(t, err)
	i.parked(t, 1)
	i.post(t, readingsOf("a", 300)...) // some 30 kB
	require.Equal(t, "too slow", i.ended(t, 1)["reason"])
	require.Zero(t, i.counted(t, "telltale_stream_wakes_total"), "everything was written, as far as the program knows")
}
