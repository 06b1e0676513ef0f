//go:build e2e

package acceptance

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"telltale/platform/postgres/pgtest"
)

// sharedPaths are the views that name no device, besides that of a device which everybody in these tests may see.
var sharedPaths = []string{
	"/", "/devices", "/devices/greenhouse-1?range=24h", "/compare", "/boards", "/import", "/users", "/keys", "/operations", "/account",
}

// A user who is narrowed to two devices sees no other, on any page: neither in words nor in a link, a choice or a title.
func TestE2EPage_ANarrowedUserSeesOnlyItsDevices(t *testing.T) {
	t.Parallel()
	p := start(t, pgtest.Config(t))
	p.furnish(3)
	p.person("gardener", []string{"devices:read", "readings:read"}, []string{"greenhouse-1", "silent"})
	v := visitAs(t, p, "gardener")
	v.at("/devices")
	v.see("Greenhouse 1")
	v.see("silent")
	for _, path := range sharedPaths {
		v.at(path)
		shown := evaluate[string](t, v.tab, `document.documentElement.outerHTML`)
		for _, hidden := range []string{"sensor-0", "constant", "spike", longName, "Durchfluss", "never-seen", "Not mounted"} {
			require.NotContains(t, shown, hidden, path)
		}
	}
	v.forgive(`status of 40[34] `)
	v.at("/devices/spike?range=24h")
	require.Zero(t, evaluate[int](t, v.tab, `document.querySelectorAll('figure.chart').length`), "a device that it may not see")
}

// A viewer may press every button that it sees: nothing that follows is refused, which would be an error in the console.
func TestE2EPage_AViewerSeesNoButtonThatItMayNotUse(t *testing.T) {
	t.Parallel()
	p := start(t, pgtest.Config(t))
	p.furnish(1)
	p.person("viewer", []string{"devices:read", "readings:read"}, nil)
	v := visitAs(t, p, "viewer")
	for _, path := range sharedPaths {
		v.at(path)
		for _, key := range []string{"action.add", "action.edit", "action.remove"} {
			if path != "/boards" && path != "/keys" { // its own boards and keys are its to change
				require.Empty(t, evaluate[[]string](t, v.tab, named("button", wording(t, key))+`.map((e) => e.innerText)`), path)
			}
		}
		v.pressAll(path)
	}
}

// pressAll presses each button in the content of the page, once for each name.
func (v *visitor) pressAll(path string) {
	v.t.Helper()
	pressed := map[string]bool{}
	for {
		buttons := `[...document.querySelectorAll('main button')].filter((e) => e.checkVisibility() && !e.disabled)`
		names := evaluate[[]string](v.t, v.tab, buttons+`.map((e) => e.getAttribute('aria-label') ?? (e.innerText || e.title))`)
		next := -1
		for i, name := range names {
			if !pressed[name] {
				next = i
				pressed[name] = true
				break
			}
		}
		if next < 0 {
			return
		}
		v.clickOn(fmt.Sprintf(`%s[%d]`, buttons, next))
		v.settle()
		require.NoError(v.t, v.do(chromedp.KeyEvent(kb.Escape)))
		v.at(path)
	}
}
