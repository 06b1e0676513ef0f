//go:build e2e

package acceptance

import (
	"context"
	"os/exec"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"telltale/platform/postgres/pgtest"
)

// A new installation: the page says what to do next, makes a key, and notices the reading that its own line sends.
func TestE2EPage_TheFirstVisitLeadsToTheFirstReading(t *testing.T) {
	t.Parallel()
	requireProgram(t, "bash", "bash")
	requireProgram(t, "curl", "curl")
	p := start(t, pgtest.Config(t))
	v := visitSignedIn(t, p)
	v.see(wording(t, "first.title"))
	for _, s := range []size{desk, phone} {
		v.on(s)
		v.requireFitting()
		v.requireAccessible("first visit")
		v.shoot("first-visit-" + s.name)
	}
	v.on(desk)
	v.click("button", wording(t, "first.make"))
	const line = `[...document.querySelectorAll('main code, main pre')].find((e) => e.textContent.startsWith('curl'))`
	v.await(t, line)
	v.shoot("first-visit-key")
	out, err := exec.CommandContext(t.Context(), "bash", "-c", evaluate[string](t, v.tab, line+`.textContent`)).CombinedOutput()
	require.NoError(t, err, "%s", out)
	v.see(wording(t, "first.arrived"))
	v.shoot("first-reading")
	v.click("link", "Open")
	v.awaitPath("/devices/my-device")
	v.drawn(1)
}

// All tabs of a browser share one stream, and each of them shows what arrives.
func TestE2EPage_TabsShareOneStream(t *testing.T) {
	t.Parallel()
	p := start(t, pgtest.Config(t))
	for _, device := range []string{"a", "b", "c"} {
		p.call("POST", "/api/readings", "application/json", `{"readings":[{"device":"`+device+`","values":{"temperature":1}}]}`, nil)
	}
	first := visitSignedIn(t, p)
	tabs := []*visitor{first, first.another(), first.another()}
	for i, v := range tabs {
		v.at("/devices/" + string("abc"[i]) + "?range=15m")
		v.drawn(1)
	}
	for i, v := range tabs {
		value := string("123"[i]) + "4217"
		p.call("POST", "/api/readings", "application/json", `{"readings":[{"device":"`+string("abc"[i])+`","values":{"temperature":`+value+`}}]}`, nil)
		v.await(t, `document.querySelector('figure.chart output').innerText.replace(/\D/g, '') === '`+value+`'`)
	}
	var answer struct{ Viewers []any }
	p.call("GET", "/api/stream/viewers", "", "", &answer)
	require.Len(t, answer.Viewers, 1)
}

// another opens another tab of the same browser.
func (v *visitor) another() *visitor {
	v.t.Helper()
	b := &tab{hosts: map[string]bool{}}
	var cancel context.CancelFunc
	b.ctx, cancel = chromedp.NewContext(v.ctx, chromedp.WithListener(b.listen))
	v.t.Cleanup(cancel)
	require.NoError(v.t, chromedp.Do(b.ctx, chromedp.Navigate("about:blank")))
	other := &visitor{tab: b, t: v.t, p: v.p}
	other.on(desk)
	v.t.Cleanup(other.requireNothingToComplainAbout)
	v.t.Cleanup(other.showFailure)
	return other
}
