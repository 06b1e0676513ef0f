//go:build e2e

package acceptance

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/platform/postgres/pgtest"
)

// Of a hundred charts on one page those on the screen are drawn, wherever it is scrolled to, and follow what arrives; all of them say
// their newest value.
func TestE2EPage_OfAHundredChartsThoseOnTheScreenAreDrawn(t *testing.T) {
	t.Parallel()
	p := start(t, pgtest.Config(t))
	const metrics = 100
	query := url.Values{"range": {"15m"}}
	for i := range metrics {
		query.Add("metric", fmt.Sprintf("m%03d", i))
	}
	post := func(at time.Time, value int) {
		values := []string{}
		for i, name := range query["metric"] {
			values = append(values, fmt.Sprintf(`%q:%d`, name, value+i))
		}
		p.call("POST", "/api/readings", "application/json",
			fmt.Sprintf(`{"readings":[{"device":"many","ts":%d,"values":{%s}}]}`, at.UnixMilli(), strings.Join(values, ",")), nil)
	}
	post(time.Now().Add(-time.Minute), 1000)
	post(time.Now(), 2000)
	v := visitSignedIn(t, p)
	v.at("/devices/many?" + query.Encode())
	v.await(t, fmt.Sprintf(`[...document.querySelectorAll('figure.chart output')].map((e) => e.innerText).join() === '%s'`, numbers(2000, metrics)))
	const onScreen = `[...document.querySelectorAll('figure.chart')].filter((e) => { const {top, bottom} = e.getBoundingClientRect(); return bottom > 0 && top < innerHeight })`
	v.await(t, onScreen+`.every((e) => e.querySelector('canvas'))`)
	require.Less(t, evaluate[int](t, v.tab, `document.querySelectorAll('canvas').length`), 20)
	require.Empty(t, evaluate[[]string](t, v.tab, `[...document.querySelectorAll('main .menu')].filter((e) => e.childElementCount).map((e) => e.innerText)`),
		"what is in a menu is not drawn before it is opened")

	evaluate[bool](t, v.tab, `(document.querySelector('figure.chart:last-of-type').scrollIntoView({behavior: 'instant'}), true)`)
	v.await(t, onScreen+`.every((e) => e.querySelector('canvas'))`)
	require.Less(t, evaluate[int](t, v.tab, `document.querySelectorAll('canvas').length`), 40)
	v.await(t, `document.querySelector('.connection.live')`)
	post(time.Now(), 3000)
	v.await(t, `[...document.querySelectorAll('figure.chart output')].at(-1).innerText === '3099'`)
}

// numbers returns n whole numbers from the first on, apart by commas.
func numbers(first, n int) string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(upTo(first, first+n-1)), " ", ","), "[]")
}
