//go:build e2e

package acceptance

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"telltale/platform/postgres/pgtest"
)

// postWith posts a reading of a device with an API key, as a device does, and returns the status.
func (p *program) postWith(key, device string) int {
	p.t.Helper()
	request, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, p.url+"/api/readings",
		strings.NewReader(`{"readings":[{"device":`+quote(device)+`,"values":{"temperature":1}}]}`))
	require.NoError(p.t, err)
	request.Header.Set("Authorization", "Bearer "+key)
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	require.NoError(p.t, err)
	require.NoError(p.t, answer.Body.Close())
	return answer.StatusCode
}

// A key is shown once, covers what was chosen, and is refused once it is revoked.
func TestE2EPage_AKeyIsMadeShownOnceAndRevoked(t *testing.T) {
	t.Parallel()
	p := start(t, pgtest.Config(t))
	p.post(1, 1)
	v := visitSignedIn(t, p)
	v.at("/keys")
	v.click("button", wording(t, "keys.make"))
	v.await(t, `document.querySelector('dialog input[name=name]')`)
	v.write(`document.querySelector('dialog input[name=name]')`, "the gateway")
	v.clickOn(`document.querySelector('dialog input[name=all]')`)
	v.await(t, `document.querySelector('dialog input[name=devices]')`)
	v.write(`document.querySelector('dialog input[name=devices]')`, "a")
	v.click("button", wording(t, "deviceKey.submit"))
	const secret = `document.querySelector('dialog .secret pre')?.innerText`
	v.await(t, secret)
	key := evaluate[string](t, v.tab, secret)
	require.Equal(t, 200, p.postWith(key, "a"))
	require.Equal(t, 403, p.postWith(key, "b"), "a device that it does not cover")

	v.click("button", wording(t, "deviceKey.done"))
	v.await(t, `!document.querySelector('dialog')`)
	v.see("the gateway")
	require.NotContains(t, evaluate[string](t, v.tab, `document.documentElement.outerHTML`), key)
	v.at("/keys")
	require.NotContains(t, evaluate[string](t, v.tab, `document.documentElement.outerHTML`), key)

	v.click("button", wordingOf(t, "keys.revokeOne", "the gateway"))
	v.await(t, `document.querySelector('dialog .danger')`)
	v.clickOn(`document.querySelector('dialog .danger')`)
	v.await(t, `!document.querySelector('dialog') && !document.body.innerText.includes('the gateway')`)
	require.Equal(t, 401, p.postWith(key, "a"))
	v.clickOn(`document.querySelector('.filters input[type=checkbox]')`)
	v.see("the gateway")
	require.Empty(t, evaluate[[]string](t, v.tab, named("button", wordingOf(t, "keys.revokeOne", "the gateway"))+`.map((e) => e.innerText)`))
}
