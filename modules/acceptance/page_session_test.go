//go:build e2e

package acceptance

import (
	"testing"

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

// signOut signs out by the menu of the person who is signed in.
func (v *visitor) signOut() {
	v.t.Helper()
	v.clickOn(`document.querySelector('.person summary')`)
	v.click("button", wording(v.t, "shell.signOut"))
	v.await(v.t, `document.querySelector('input[name=password]')`)
}
