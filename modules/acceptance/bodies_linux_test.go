//go:build e2e

package acceptance

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"telltale/platform/postgres/pgtest"
)

// resident returns the MiB of memory that a process holds.
func resident(t *testing.T, pid int) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(t, err)
	kib, err := strconv.Atoi(string(regexp.MustCompile(`VmRSS:\s+(\d+) kB`).FindSubmatch(status)[1]))
	require.NoError(t, err)
	return kib >> 10
}

// Two hundred connections send 16 MiB each, for which they have no credentials or no route: 3 GiB that the server must not hold.
func TestE2EBodies_OfUnauthorizedRequestsTakeNoMemory(t *testing.T) {
	t.Parallel()
	const connections, size = 200, 16 << 20
	p := start(t, pgtest.Config(t))
	piece := strings.Repeat("x", 1<<20)
	before := resident(t, p.cmd.Process.Pid)
	for _, head := range []string{
		"POST /api/readings HTTP/1.1\r\n",
		"POST /api/readings HTTP/1.1\r\nAuthorization: Bearer tt_wrong\r\n",
		"POST /api/v2/write HTTP/1.1\r\nAuthorization: Token wrong\r\n",
		"POST /api/nothing HTTP/1.1\r\nAuthorization: Bearer " + p.token + "\r\n",
		"GET /api/devices HTTP/1.1\r\nAuthorization: Bearer " + p.token + "\r\n",
	} {
		var clients sync.WaitGroup
		for range connections {
			clients.Go(func() {
				nc, err := net.Dial("tcp", "127.0.0.1:"+p.port)
				if err != nil {
					return
				}
				defer nc.Close()
				_, _ = fmt.Fprintf(nc, "%sHost: x\r\nContent-Length: %d\r\n\r\n", head, size)
				for range size / len(piece) / 4 { // a quarter of it, and then it waits
					if _, err := io.WriteString(nc, piece); err != nil {
						break // the server has closed: it is done with this one
					}
				}
				if res, err := http.ReadResponse(bufio.NewReader(nc), nil); err == nil {
					_ = res.Body.Close()
				}
			})
		}
		clients.Wait()
		require.Less(t, resident(t, p.cmd.Process.Pid), before+100, head)
	}
	t.Log("MiB before and after:", before, resident(t, p.cmd.Process.Pid))
	require.Equal(t, http.StatusOK, p.answers("/readyz"))
}
