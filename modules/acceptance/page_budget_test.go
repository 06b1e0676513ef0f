//go:build e2e

package acceptance

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/stretchr/testify/require"

	"telltale/platform/postgres/pgtest"
)

// meter passes requests on to a program, and counts them and the bytes of their answers as they are on the wire.
type meter struct {
	*httptest.Server

	mu    sync.Mutex
	paths []string
	bytes int
}

func newMeter(t *testing.T, p *program) *meter {
	t.Helper()
	target, err := url.Parse(p.url)
	require.NoError(t, err)
	m := &meter{}
	transport := &http.Transport{DisableCompression: true} // what the browser asks for goes through
	proxy := &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(target); r.Out.Host = r.In.Host },
		Transport:     transport,
		FlushInterval: -1,
		ModifyResponse: func(response *http.Response) error {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.paths = append(m.paths, response.Request.URL.RequestURI())
			response.Body = &metered{response.Body, m}
			return nil
		},
	}
	m.Server = httptest.NewServer(proxy)
	t.Cleanup(func() {
		m.CloseClientConnections() // streams are among them, which Close would wait for
		m.Close()
		transport.CloseIdleConnections()
	})
	return m
}

// metered is the body of an answer whose bytes count.
type metered struct {
	io.ReadCloser
	meter *meter
}

func (b *metered) Read(into []byte) (int, error) {
	n, err := b.ReadCloser.Read(into)
	b.meter.mu.Lock()
	defer b.meter.mu.Unlock()
	b.meter.bytes += n
	return n, err
}

func (m *meter) reset() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.bytes, m.paths = 0, nil
}

// read returns what has been counted.
func (m *meter) read() (bytes int, paths []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.bytes, append(paths, m.paths...)
}

// The first chart costs at most 150 KB and 12 requests, and a browser that has been here before fetches no asset once more.
func TestE2EPage_TheFirstChartIsCheap(t *testing.T) {
	t.Parallel()
	p := start(t, pgtest.Config(t))
	p.furnish(100)
	m := newMeter(t, p)
	p.url = m.URL // for the browser; what talks to the program itself has done so
	v := visitSignedIn(t, p)
	v.open(t, "about:blank")
	command(t, v.tab, network.ClearBrowserCache, cdp.Empty{})
	m.reset()
	v.open(t, p.url+"/devices/greenhouse-1?range=24h")
	v.await(t, `document.querySelector('figure.chart canvas')`)
	bytes, paths := m.read()
	t.Logf("%d bytes in %d requests: %q", bytes, len(paths), paths)
	require.LessOrEqual(t, bytes, 150_000, "%q", paths)
	require.LessOrEqual(t, len(paths), 12, "%q", paths)

	v.open(t, p.url+"/devices/greenhouse-1?range=24h")
	v.await(t, `document.querySelector('figure.chart canvas')`)
	_, again := m.read()
	for _, path := range again[len(paths):] {
		require.NotContains(t, path, "/assets/", "it has been fetched before")
	}
}
