//go:build e2e

package acceptance

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/heapprofiler"
	browserpage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/stretchr/testify/require"

	"telltale/platform/postgres/pgtest"
)

// clock puts the page's clock under the test's hand: it begins as long before the true time as given, and goes on with it. Answers
// say the same time, as the server's own clock would.
const clock = `{
	const True = Date
	let behind = %d
	globalThis.Date = class Date extends True {
		constructor(...given) { given.length ? super(...given) : super(True.now() - behind) }
		static now() { return True.now() - behind }
	}
	const get = Headers.prototype.get
	Headers.prototype.get = function (name) { return /^date$/i.test(name) ? new Date().toUTCString() : get.call(this, name) }
	globalThis.passTime = (ms) => { behind -= ms }
}`

// A page that is left open for a day, which passes in steps of half an hour while readings arrive: it follows the clock over
// midnight, holds no more than it shows, and what it shows at the end is what the log holds of its range. The server is away
// once on the way.
func TestE2EPage_StaysOpenForADayOnAWall(t *testing.T) {
	t.Parallel()
	p := start(t, pgtest.Config(t))
	const day, step = 24 * time.Hour, 30 * time.Minute
	begin := time.Now().Add(-day)
	value := 0
	post := func(until time.Time) { // a reading a minute
		first := value + 1
		value += int(step / time.Minute)
		p.postEvery(time.Minute, "a", "temperature", until, upTo(first, value)...)
	}
	post(begin)
	v := visitSignedIn(t, p)
	v.forgive(`log: Failed to load resource: net::ERR_`, `status of 503`)
	command(t, v.tab, browserpage.AddScriptToEvaluateOnNewDocument, browserpage.AddScriptToEvaluateOnNewDocumentParams{
		Source: fmt.Sprintf(clock, day.Milliseconds()),
	})
	v.at("/devices/a?range=1h")
	v.drawn(1)
	heap := []int64{}
	for at := begin.Add(step); !at.After(begin.Add(day)); at = at.Add(step) {
		evaluate[bool](t, v.tab, fmt.Sprintf(`(passTime(%d), true)`, step.Milliseconds()))
		if at.Sub(begin) == 12*time.Hour {
			require.Zero(t, p.stop(), p.log)
			p.start()
		}
		post(at)
		v.await(t, fmt.Sprintf(`[...document.querySelectorAll('figure.chart output')].some((o) => o.innerText.replace(/\D/g, '') === '%d')`, value))
		heap = append(heap, v.heap())
	}
	t.Logf("heap: %d KiB at first, %d in the middle, %d at last", heap[0]>>10, heap[len(heap)/2]>>10, heap[len(heap)-1]>>10)
	require.Less(t, heap[len(heap)-1], heap[len(heap)/2]+2<<20, "memory grows: %d", heap)
	shown := v.table(0)
	require.Less(t, len(shown), 60+200, "it holds more than the hour that it shows")
	held := p.history("device=a&metric=temperature")["a/temperature"]
	for i := range min(len(shown), 55) {
		require.EqualValues(t, fmt.Sprintf("%.0f", held[len(held)-1-i][1]), shown[len(shown)-1-i])
	}
}

// heap returns the bytes of JavaScript that are in use after a collection.
func (v *visitor) heap() int64 {
	v.t.Helper()
	command(v.t, v.tab, heapprofiler.CollectGarbage, cdp.Empty{})
	usage := command(v.t, v.tab, runtime.GetHeapUsage, cdp.Empty{})
	return int64(usage.UsedSize)
}
