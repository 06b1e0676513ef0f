//go:build e2e

package acceptance

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/platform/postgres/pgtest"
)

// Metrics of two devices are drawn over one axis, by unit; the address shows another person the same, live.
func TestE2EPage_TwoDevicesAreComparedAndTheAddressShowsTheSame(t *testing.T) {
	t.Parallel()
	p := start(t, pgtest.Config(t))
	p.postSeconds("a", "temperature", time.Now(), upTo(1, 60)...)
	p.postSeconds("b", "temperature", time.Now(), upTo(101, 160)...)
	v := visitSignedIn(t, p)
	v.at("/compare")
	v.see(wording(t, "compare.empty"))
	for _, device := range []string{"a", "b"} {
		v.write(`document.querySelector('input[name=series]')`, "temperature "+device)
		v.await(t, `document.querySelector('.chosen [role=option][aria-selected=true] .detail')?.innerText === `+quote(device))
		v.press("\r")
		v.await(t, `location.search.includes(`+quote(device+"%3Atemperature")+`)`)
	}
	v.click("button", "15m")
	v.await(t, `location.search.includes('range=15m')`)
	v.drawn(1)
	const lines = `[...document.querySelectorAll('figure.chart .line')].map((e) => e.querySelector('.name').innerText + ' ' + e.querySelector('output')?.innerText)`
	require.Equal(t, []string{"a temperature 60", "b temperature 160"}, evaluate[[]string](t, v.tab, lines))

	other := visitSignedIn(t, p)
	other.at(v.path())
	other.drawn(1)
	require.Equal(t, evaluate[[]string](t, v.tab, lines), evaluate[[]string](t, other.tab, lines))
	p.postSeconds("b", "temperature", time.Now(), 4217)
	for _, one := range []*visitor{v, other} {
		one.await(t, lines+`.join() === 'a temperature 60,b temperature 4217'`)
	}

	other.click("button", wordingOf(t, "compare.remove", "a", "temperature"))
	other.await(t, `document.querySelectorAll('figure.chart .line').length === 1`)
	require.Equal(t, 1, strings.Count(other.path(), "series="))
}
