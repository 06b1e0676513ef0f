//go:build e2e

package acceptance

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/platform/httpserver/httpservertest"
	"telltale/platform/postgres/pgtest"
)

// throughProxy is a client of a program behind a proxy.
type throughProxy struct {
	t     *testing.T
	p     *program
	proxy *proxy
	http  *http.Client
	url   string
}

func behind(t *testing.T, kind proxyKind) *throughProxy {
	t.Helper()
	requireProgram(t, kind.debian, kind.program)
	p := start(t, pgtest.Config(t), "TRUSTED_PROXIES=127.0.0.1/32")
	port := strconv.Itoa(httpservertest.Port(t))
	c := &throughProxy{t: t, p: p, proxy: newProxy(t, kind, port, "127.0.0.1:"+p.port), url: "http://localhost:" + port}
	if kind.http2 {
		c.url = "https://localhost:" + port
	}
	// The client's own address is not the proxy's.
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	transport := &http.Transport{
		ForceAttemptHTTP2: true,
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true}, // made for this test
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "tcp", "127.0.0.1:"+port)
		},
	}
	t.Cleanup(transport.CloseIdleConnections)
	c.http = &http.Client{Transport: transport}
	c.proxy.start(t)
	c.await()
	return c
}

func (c *throughProxy) get(ctx context.Context, path string, header ...string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url+path, nil)
	require.NoError(c.t, err)
	request.Header.Set("Authorization", "Bearer "+c.p.token)
	for n := 0; n < len(header); n += 2 {
		request.Header.Set(header[n], header[n+1])
	}
	return c.http.Do(request)
}

// await waits until the proxy serves.
func (c *throughProxy) await() {
	c.t.Helper()
	require.Eventually(c.t, func() bool {
		response, err := c.get(c.t.Context(), "/readyz")
		if err != nil {
			return false
		}
		_ = response.Body.Close()
		return response.StatusCode == http.StatusOK
	}, time.Minute, 20*time.Millisecond, "%s does not serve; see its log:\n%s", c.proxy.kind.name, said{c.proxy})
}

// view follows a stream as an EventSource does: it comes back with the last id whenever the stream ends.
func (c *throughProxy) view(query string) *viewer {
	ctx, cancel := context.WithCancel(context.Background())
	v := newViewer(cancel)
	opened := make(chan struct{}, 1)
	v.done.Go(func() {
		for ctx.Err() == nil {
			response, err := c.get(ctx, "/api/stream?"+query, "Last-Event-ID", v.position(), "Accept", "text/event-stream")
			if err == nil && response.StatusCode == http.StatusOK {
				select {
				case opened <- struct{}{}:
				default:
				}
				v.read(response.Body)
			}
			if err == nil {
				_ = response.Body.Close()
			}
			time.Sleep(20 * time.Millisecond) // as clients do between two attempts
		}
	})
	c.t.Cleanup(v.stop)
	select {
	case <-opened: // although no event has come
	case <-time.After(time.Minute):
		require.FailNow(c.t, "a stream without events has not begun", "%s", c.proxy.said())
	}
	return v
}

func TestE2EProxies_PassStreamsOnAtOnceAndLoseNothing(t *testing.T) {
	t.Parallel()
	for _, kind := range proxies {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			c := behind(t, kind)
			live := c.view("device=a")
			c.p.post(1, 1)
			requireInstants(t, live.wait(t, 1), 1, 1) // without waiting for a second one

			newest := c.view("device=a&snapshot=true")
			newest.wait(t, 1) // which is a small write, and the only one

			const devices = 3000 // the snapshot is one large write
			var many strings.Builder
			for n := range devices {
				fmt.Fprintf(&many, `{"device":"room-%04d","ts":%d,"values":{"temperature":%d}}`+"\n", n, instantZero, n)
			}
			c.p.call("POST", "/api/readings", "application/x-ndjson", many.String(), nil)
			snapshot := c.view("device=room-*&snapshot=true")
			snapshot.wait(t, devices)

			instants := 1
			more := func() {
				c.p.post(instants+1, instants+20)
				instants += 20
				requireInstants(t, live.wait(t, instants), 1, instants)
			}
			more()
			if kind.reload != nil {
				require.NoError(t, kind.reload(c.proxy), "%s", c.proxy.said())
				more()
				c.await()
			}
			c.proxy.stop()
			c.p.post(instants+1, instants+20) // while there is no proxy
			instants += 20
			c.proxy.start(t)
			c.await()
			more()
		})
	}
}

func TestE2EProxies_TellOfTheirClientsAndKeepETags(t *testing.T) {
	t.Parallel()
	for _, kind := range proxies {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			c := behind(t, kind)
			var many strings.Builder
			for n := range 2000 {
				fmt.Fprintf(&many, `{"device":"a","ts":%d,"values":{"m":%d}}`+"\n", instantZero+n, n)
			}
			c.p.call("POST", "/api/readings", "application/x-ndjson", many.String(), nil)
			c.view("device=a")
			var answer struct {
				Viewers []struct {
					Address string `json:"address"`
				} `json:"viewers"`
			}
			http2 := false
			require.Eventually(t, func() bool { // the proxy may still be opening the stream
				response, err := c.get(t.Context(), "/api/stream/viewers")
				if err != nil {
					return false
				}
				http2 = response.ProtoMajor == 2
				err = json.NewDecoder(response.Body).Decode(&answer)
				return response.Body.Close() == nil && err == nil && len(answer.Viewers) == 1
			}, time.Minute, 10*time.Millisecond)
			require.Equal(t, "127.0.0.2", answer.Viewers[0].Address)
			require.Equal(t, kind.http2, http2)

			path := fmt.Sprintf("/api/readings?device=a&from=%d&to=%d", instantZero, instantZero+5000)
			for _, coding := range []string{"identity", "gzip", "zstd", "gzip, zstd, br"} {
				header := []string{"Accept-Encoding", coding}
				response, err := c.get(t.Context(), path, header...)
				require.NoError(t, err)
				body, err := io.ReadAll(response.Body)
				require.NoError(t, err)
				require.NoError(t, response.Body.Close())
				require.NotEmpty(t, body)
				tag := response.Header.Get("ETag")
				require.NotEmpty(t, tag, coding)
				response, err = c.get(t.Context(), path, append(header, "If-None-Match", tag)...)
				require.NoError(t, err)
				require.NoError(t, response.Body.Close())
				require.Equal(t, http.StatusNotModified, response.StatusCode, "%s %s", coding, tag)
			}
		})
	}
}
