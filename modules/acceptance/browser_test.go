//go:build e2e

package acceptance

import (
	"context"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	browserpage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// browserTimeout is how long a test waits for what a page should do.
const browserTimeout = 2 * time.Minute

// tab is a page in a headless Chromium of its own.
type tab struct {
	ctx context.Context

	mu       sync.Mutex
	hosts    map[string]bool // that something was requested from
	requests int
	errors   []string // the console's
	forgiven []*regexp.Regexp
	// chooser is the input that the last choice of files was opened for, and leaving says that the page asks whether to leave it.
	chooser cdp.BackendNodeID
	leaving bool
}

// forgive has errors that match one of the patterns count as none, from now on.
func (b *tab) forgive(patterns ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, pattern := range patterns {
		b.forgiven = append(b.forgiven, regexp.MustCompile(pattern))
	}
}

// unforgiven returns the errors that nothing forgives. The lock is held.
func (b *tab) unforgiven() []string {
	return slices.DeleteFunc(slices.Clone(b.errors), func(message string) bool {
		return slices.ContainsFunc(b.forgiven, func(pattern *regexp.Regexp) bool { return pattern.MatchString(message) })
	})
}

// browse opens a tab, which is closed when the test ends.
func browse(t *testing.T) *tab {
	t.Helper()
	requireProgram(t, "chromium", "chromium", "chromium-browser", "google-chrome")
	b := &tab{hosts: map[string]bool{}}
	var cancel context.CancelFunc
	b.ctx, cancel = chromedp.NewContext(context.Background(), // t.Context would end before Cleanup can close the browser
		chromedp.WithAllocatorOptions(
			chromedp.NoSandbox, // Chromium's does not work for root, nor in many containers
			chromedp.WSURLReadTimeout(browserTimeout),
		),
		chromedp.WithListener(b.listen),
	)
	t.Cleanup(cancel)
	require.NoError(t, chromedp.Do(b.ctx, chromedp.Navigate("about:blank")), "starting Chromium")
	return b
}

// listen notes what a page asks for and what it complains about.
func (b *tab) listen(raw any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := raw.(type) {
	case *network.EventRequestWillBeSent:
		b.requests++
		u, err := url.Parse(e.Request.URL)
		if err != nil {
			b.errors = append(b.errors, err.Error())
		} else if u.Scheme != "data" && u.Scheme != "blob" && u.Scheme != "about" {
			b.hosts[u.Host] = true
		}
	case *runtime.EventExceptionThrown:
		b.errors = append(b.errors, "exception: "+describe(e.ExceptionDetails))
	case *runtime.EventConsoleAPICalled:
		if e.Type == "error" || e.Type == "assert" {
			text := "console:"
			for _, arg := range e.Args {
				text += fmt.Sprintf(" %s%s", arg.Value, arg.Description)
			}
			b.errors = append(b.errors, text)
		}
	case *browserpage.EventFileChooserOpened:
		b.chooser = e.BackendNodeID
	case *browserpage.EventJavascriptDialogOpening:
		b.leaving = e.Type == browserpage.DialogTypeBeforeunload
	case *log.EventEntryAdded:
		if e.Entry.Level == "error" {
			b.errors = append(b.errors, fmt.Sprintf("log: %s (%s)", e.Entry.Text, e.Entry.URL))
		}
	}
}

// describe says what was thrown, and where.
func describe(details *runtime.ExceptionDetails) string {
	text := fmt.Sprintf("%s (%s:%d)", details.Text, details.URL, details.LineNumber+1)
	if details.Exception != nil {
		text += fmt.Sprintf(" %s%s", details.Exception.Value, details.Exception.Description)
	}
	return text
}

// open navigates to the page.
func (b *tab) open(t *testing.T, address string) {
	t.Helper()
	require.NoError(t, b.do(chromedp.Navigate(address)), "opening %s", address)
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) error {
	ctx, cancel := context.WithTimeout(b.ctx, browserTimeout)
	defer cancel()
	return chromedp.Do(ctx, steps...)
}

// command gives the tab a command of the protocol and returns the answer.
func command[P, R any](t *testing.T, b *tab, name cdp.Command[P, R], parameters P) R {
	t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, browserTimeout)
	defer cancel()
	answer, err := chromedp.Call(ctx, name, parameters)
	require.NoError(t, err, name.Method)
	return answer
}

// await waits until the expression is true. The page itself looks: chromedp's Poll may pick the context of the page before.
func (b *tab) await(t *testing.T, expression string) {
	t.Helper()
	evaluate[bool](t, b, `new Promise((done) => {
		const look = () => (`+expression+`) ? done(true) : setTimeout(look, 20)
		look()
	})`)
}

// evaluate returns the value of the expression, or what it promises.
func evaluate[T any](t *testing.T, b *tab, expression string) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, browserTimeout)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	require.NoError(t, err, expression)
	return value
}
