//go:build e2e

package acceptance

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"telltale/platform/postgres/pgtest"
)

// A list of 5,000 devices holds the rows of a screen or two, wherever it is scrolled to, and finds any of them.
func TestE2EPage_AListOfFiveThousandDevicesScrollsAndFinds(t *testing.T) {
	t.Parallel()
	p := start(t, pgtest.Config(t))
	const devices = 5000
	var body strings.Builder
	for i := range devices {
		fmt.Fprintf(&body, `{"device":"sensor-%04d","ts":%d,"values":{"temperature":%d}}`+"\n", i, time.Now().UnixMilli(), i)
	}
	p.call("POST", "/api/readings", "application/x-ndjson", body.String(), nil)
	v := visitSignedIn(t, p)
	v.at("/devices")
	v.await(t, `document.querySelector('.devices li[aria-setsize="5000"]')`)
	rows := func() int { return evaluate[int](t, v.tab, `document.querySelectorAll('.devices li').length`) }
	for _, part := range []float64{0.3, 0.6, 0.9, 0.1, 1} {
		evaluate[bool](t, v.tab, fmt.Sprintf(`(scrollTo(0, document.documentElement.scrollHeight * %g), true)`, part))
		v.await(t, `[...document.querySelectorAll('.devices li')].some((e) => { const {top, bottom} = e.getBoundingClientRect(); return top < innerHeight / 2 && bottom > innerHeight / 2 })`)
		require.Less(t, rows(), 60)
	}
	v.see("sensor-4999")
	require.Less(t, evaluate[int](t, v.tab, `document.querySelectorAll('*').length`), 3000)

	v.write(`document.querySelector('.filters input[type=search], main input[type=search]')`, "sensor-0421")
	v.await(t, `document.querySelectorAll('.devices li').length === 1`)
	v.see("sensor-0421")
	v.write(`document.querySelector('.search input')`, "sensor-3142")
	v.await(t, `document.querySelector('.search [role=option][aria-selected=true] .name')?.innerText === 'sensor-3142'`)
	v.press(kb.Enter)
	v.awaitPath("/devices/sensor-3142")
	v.see("3142")
}
