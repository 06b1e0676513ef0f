package bench

import (
	"context"
	"os/exec"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	browserpage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// tab is a page in a headless Chromium of its own.
type tab struct {
	ctx context.Context
	b   *testing.B

	mu       sync.Mutex
	trace    []traced
	complete chan struct{} // closed when the trace is
}

// browse opens a browser that is closed when the benchmark ends. Without one on this machine the benchmark is skipped.
func browse(b *testing.B) *tab {
	b.Helper()
	found := false
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		_, err := exec.LookPath(name)
		found = found || err == nil
	}
	if !found {
		b.Skip("the page is not measured: there is no chromium, chromium-browser or google-chrome on PATH")
	}
	t := &tab{b: b}
	ctx, cancel := chromedp.NewContext(context.Background(), chromedp.WithAllocatorOptions(
		chromedp.NoSandbox, // Chromium's does not work for root, nor in many containers
		chromedp.WSURLReadTimeout(patience),
		chromedp.WindowSize(1440, 900),
	), chromedp.WithListener(t.listen))
	b.Cleanup(cancel)
	t.ctx = ctx
	require.NoError(b, chromedp.Do(ctx, chromedp.Navigate("about:blank"))) // the browser lives as long as this context
	t.do(chromedp.EmulateViewport(1440, 900))
	return t
}

func (t *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	t.b.Helper()
	ctx, cancel := context.WithTimeout(t.ctx, patience)
	defer cancel()
	require.NoError(t.b, chromedp.Do(ctx, steps...))
}

// before has a script run in every page before its own.
func (t *tab) before(script string) {
	t.b.Helper()
	_, err := chromedp.Call(t.ctx, browserpage.AddScriptToEvaluateOnNewDocument, browserpage.AddScriptToEvaluateOnNewDocumentParams{Source: script})
	require.NoError(t.b, err)
}

// figure returns the number that the expression promises.
func (t *tab) figure(expression string) float64 {
	t.b.Helper()
	ctx, cancel := context.WithTimeout(t.ctx, patience+*span)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[float64](expression, chromedp.EvalAwaitPromise))
	require.NoError(t.b, err, expression)
	return value
}

// signIn signs in at the page.
func (t *tab) signIn(p *program) {
	t.b.Helper()
	t.do(chromedp.Navigate("http://"+p.address+"/signin"),
		chromedp.SendKeys(chromedp.CSS("input[name=username]"), "admin"),
		chromedp.SendKeys(chromedp.CSS("input[name=password]"), adminPassword+"\r"),
		chromedp.WaitNotPresent(chromedp.CSS("input[name=password]")),
	)
}

// forget empties the browser's cache.
func (t *tab) forget() {
	t.b.Helper()
	t.do(chromedp.Navigate("about:blank"))
	_, err := chromedp.Call(t.ctx, network.ClearBrowserCache, cdp.Empty{})
	require.NoError(t.b, err)
}
