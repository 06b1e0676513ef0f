//go:build e2e

package acceptance

import (
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/stretchr/testify/require"

	"telltale/platform/postgres/pgtest"
)

func TestE2EPage_SigningInLeadsToWhatWasAskedForAndOutOfEverything(t *testing.T) {
	t.Parallel()
	p := start(t, pgtest.Config(t))
	p.post(1, 1)
	v := visit(t, p)
	const asked = "/devices/a?range=6h"
	v.at(asked)
	v.forgive(`status of 401 .*/api/auth/token\)`)
	v.signIn("admin", "not the password")
	v.see(wording(t, "signIn.wrong"))
	v.signIn("admin", adminPassword)
	v.await(t, `!document.querySelector('input[name=password]')`)
	v.settle()
	require.Equal(t, asked, v.path())
	require.Empty(t, evaluate[string](t, v.tab, `document.cookie`), "no script can read the session")

	v.at("/devices")
	v.signOut()
	v.open(t, p.url+asked)
	v.await(t, `document.querySelector('input[name=password]')`)
}

func TestE2EPage_ASessionThatExpiresLeadsBackToWhereOneWas(t *testing.T) {
	t.Parallel()
	p := start(t, pgtest.Config(t))
	p.post(1, 1)
	v := visitSignedIn(t, p)
	const asked = "/devices/a?range=6h"
	v.at(asked)
	v.await(t, `document.querySelector('.connection.live')`) // what opens the stream later would notice before the click does
	v.forgive(`status of 401 `)
	command(t, v.tab, network.ClearBrowserCookies, cdp.Empty{})
	v.click("link", wording(t, "nav.devices"))
	v.see(wording(t, "signIn.expired"))
	require.Equal(t, "/devices", v.path())
	v.signIn("admin", adminPassword)
	v.awaitPath("/devices")
	v.await(t, `!document.querySelector('input[name=password]')`)
}

// Who signs out is signed out in every tab, without a request that is refused. When the server cannot be told, the page says so and
// goes on.
func TestE2EPage_SigningOutEndsEveryTabOrNone(t *testing.T) {
	t.Parallel()
	p := start(t, pgtest.Config(t))
	p.postSeconds("a", "temperature", time.Now(), 1)
	v := visitSignedIn(t, p)
	other := v.another()
	for _, one := range []*visitor{v, other} {
		one.at("/devices/a")
		one.await(t, `document.querySelector('.connection.live')`)
	}
	for _, one := range []*visitor{v, other} {
		one.forgive(`net::ERR_`, `status of 503`)
	}
	require.Zero(t, p.stop(), p.log)
	v.clickOn(`document.querySelector('.person summary')`)
	v.click("button", wording(t, "shell.signOut"))
	v.see(wording(t, "shell.stillIn"))
	p.start()
	for _, one := range []*visitor{v, other} {
		one.await(t, `document.querySelector('.connection.live')`)
	}
	p.postSeconds("a", "temperature", time.Now(), 4217)
	v.see("4217")

	v.signOut()
	other.await(t, `document.querySelector('.sign-in')`)
	v.signIn("admin", adminPassword)
	v.await(t, `document.querySelector('.connection.live')`)
}

// signOut signs out by the menu of the person who is signed in.
func (v *visitor) signOut() {
	v.t.Helper()
	v.clickOn(`document.querySelector('.person summary')`)
	v.click("button", wording(v.t, "shell.signOut"))
	v.await(v.t, `document.querySelector('input[name=password]')`)
}
