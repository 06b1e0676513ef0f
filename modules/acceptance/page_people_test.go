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

// pressInDialog presses each button of the dialog that is open, if one is; the opener opens it once more after each.
func (v *visitor) pressInDialog(path, opener string) {
	v.t.Helper()
	const buttons = `[...document.querySelectorAll('dialog[open] button')].filter((e) => e.checkVisibility() && !e.disabled)`
	for i := range evaluate[int](v.t, v.tab, buttons+`.length`) {
		v.clickOn(fmt.Sprintf(`%s[%d]`, buttons, i))
		v.settle()
		v.at(path)
		v.clickOn(opener)
		v.settle()
	}
}

// What opens over the page has nothing either that a viewer may not use: each menu and each dialog is opened, and what is in it is
// looked through. A person who may write devices finds it there.
func TestE2EPage_AViewerFindsNothingInDialogsThatItMayNotUse(t *testing.T) {
	t.Parallel()
	p := start(t, pgtest.Config(t))
	p.furnish(1)
	board := p.board()
	p.person("viewer", []string{"devices:read", "readings:read"}, nil)
	p.person("writer", []string{"devices:read", "devices:write", "readings:read"}, nil)
	paths := []string{"/devices", "/devices/greenhouse-1?range=24h", "/compare?series=greenhouse-1:temperature&range=24h", "/boards", "/boards/" + board, "/account"}
	writes := []string{"deviceForm.add", "deviceMenu.edit", "deviceMenu.remove", "deviceMenu.key", "boards.arrange", "boards.share", "boards.unshare", "keys.make", "users.add"}
	found := func(v *visitor) map[string]bool {
		all := map[string]bool{}
		for _, path := range paths {
			v.at(path)
			for _, text := range v.openEverything() {
				for _, key := range writes {
					if text == wording(t, key) {
						all[key] = true
					}
				}
			}
		}
		return all
	}
	require.Empty(t, found(visitAs(t, p, "viewer")))
	require.Equal(t, map[string]bool{"deviceForm.add": true, "deviceMenu.edit": true, "deviceMenu.remove": true}, found(visitAs(t, p, "writer")))
}

// openEverything opens the menus of the page, one after another, and returns the texts of all buttons that there are then.
func (v *visitor) openEverything() []string {
	v.t.Helper()
	const menus = `[...document.querySelectorAll('main details > summary')].filter((e) => e.checkVisibility())`
	for i := range evaluate[int](v.t, v.tab, menus+`.length`) {
		v.clickOn(fmt.Sprintf(`%s[%d]`, menus, i))
		v.await(v.t, fmt.Sprintf(`%s[%d].nextElementSibling.childElementCount > 0`, menus, i))
		evaluate[bool](v.t, v.tab, `(document.querySelector('main details[open]').removeAttribute('open'), true)`) // it would cover the next one
	}
	return evaluate[[]string](v.t, v.tab, `[...document.querySelectorAll('main button, dialog button')].map((e) => (e.innerText || e.textContent).trim())`)
}

// pressAll presses each button in the content of the page, once for each name, and so in each dialog that one of them opens.
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
		opener := fmt.Sprintf(`%s[%d]`, buttons, next)
		v.clickOn(opener)
		v.settle()
		v.pressInDialog(path, opener)
		require.NoError(v.t, v.do(chromedp.KeyEvent(kb.Escape)))
		v.at(path)
	}
}
