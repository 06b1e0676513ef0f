//go:build e2e

package acceptance

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/platform/postgres/pgtest"
)

// An administrator adds a user who may read the readings of one device; the user signs in and finds nothing else anywhere.
func TestE2EPage_AUserIsAddedAndSeesItsDevicesEverywhere(t *testing.T) {
	t.Parallel()
	p := start(t, pgtest.Config(t))
	p.furnish(2)
	shared := p.board()
	v := visitSignedIn(t, p)
	v.at("/users")
	v.click("button", wording(t, "users.add"))
	v.await(t, `document.querySelector('dialog input[name=username]')`)
	v.write(`document.querySelector('dialog input[name=username]')`, "gardener")
	v.write(`document.querySelector('dialog input[name=password]')`, adminPassword)
	v.clickOn(`document.querySelector('dialog input[name=all]')`)
	v.await(t, `document.querySelector('dialog input[name=devices]')`)
	v.write(`document.querySelector('dialog input[name=devices]')`, "greenhouse-1\r")
	v.await(t, `!document.querySelector('dialog')`)
	v.see("gardener")

	u := visitAs(t, p, "gardener")
	hidden := []string{"sensor-0", "constant", "spike", "silent", longName, "Durchfluss", "never-seen", "Not mounted"}
	unseen := func(where string) {
		shown := evaluate[string](t, u.tab, `document.documentElement.outerHTML`)
		for _, name := range hidden {
			require.NotContains(t, shown, name, where)
		}
	}
	u.at("/devices")
	u.see("Greenhouse 1")
	unseen("the devices")
	u.at("/boards/" + shared)
	u.see("Open the windows")
	u.drawn(1)
	unseen("a board that is shared")
	u.at("/compare?series=greenhouse-1:temperature&series=spike:pressure&range=24h")
	u.drawn(1)
	require.Equal(t, []string{"greenhouse-1"}, evaluate[[]string](t, u.tab,
		`[...document.querySelectorAll('figure.chart .line:has(output)')].map((e) => e.querySelector('a').innerText)`), "what has values")
	for path, field := range map[string]string{"/devices": ".search input", "/compare": "input[name=series]"} {
		u.at(path)
		for _, words := range []string{"temperature", "pressure", "level", "e"} {
			u.write(`document.querySelector('`+field+`')`, words)
			u.settle()
			unseen(path + ", searching " + words)
		}
	}
}

// A person changes the password: a wrong one is told, sessions end, the new one is what counts.
func TestE2EPage_APersonChangesThePassword(t *testing.T) {
	t.Parallel()
	p := start(t, pgtest.Config(t))
	p.postSeconds("a", "temperature", time.Now(), 1)
	p.person("gardener", []string{"devices:read", "readings:read"}, nil)
	v := visitAs(t, p, "gardener")
	v.at("/devices/a") // a stream is open
	v.await(t, `document.querySelector('.connection.live')`)
	v.clickOn(`document.querySelector('.person summary')`)
	v.click("link", wording(t, "nav.account"))
	field := func(name, text string) {
		v.await(t, `document.querySelector('main input[name=`+name+`]')`)
		v.write(`document.querySelector('main input[name=`+name+`]')`, text)
	}
	const next = "another password of mine"
	field("current", "not the password")
	field("new", next)
	field("again", next+"!")
	v.click("button", wording(t, "account.change"))
	v.see(wording(t, "account.unlike"))
	v.forgive(`status of 401 .*/api/auth/(password|token)\)`)
	field("again", next)
	v.click("button", wording(t, "account.change"))
	v.see(wording(t, "account.wrong"))
	field("current", adminPassword)
	v.click("button", wording(t, "account.change"))
	v.await(t, `document.querySelector('.sign-in')`)
	v.signIn("gardener", adminPassword)
	v.see(wording(t, "signIn.wrong"))
	v.signIn("gardener", next)
	v.awaitPath("/account")
	v.await(t, `!document.querySelector('.sign-in')`)
}
