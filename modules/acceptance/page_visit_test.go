//go:build e2e

package acceptance

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// visitor is a person in front of the page of a program. What the page may never do fails the test by itself: write an error to
// the console, break its own Content-Security-Policy, leave a rejected promise unhandled, ask another host.
type visitor struct {
	*tab
	t *testing.T
	p *program
}

// visit opens a browser for a person whom the program does not know yet.
func visit(t *testing.T, p *program) *visitor {
	t.Helper()
	v := &visitor{tab: browse(t), t: t, p: p}
	v.on(desk)
	t.Cleanup(v.requireNothingToComplainAbout)
	t.Cleanup(v.showFailure)
	return v
}

// visitSignedIn opens a browser in which the administrator signs in.
func visitSignedIn(t *testing.T, p *program) *visitor {
	t.Helper()
	return visitAs(t, p, "admin")
}

// visitAs opens a browser in which a user signs in.
func visitAs(t *testing.T, p *program, name string) *visitor {
	t.Helper()
	v := visit(t, p)
	v.at("/signin")
	v.signIn(name, adminPassword)
	v.await(t, `!document.querySelector('input[name=password]')`)
	v.settle()
	return v
}

// requireNothingToComplainAbout fails for what the page may never do.
func (v *visitor) requireNothingToComplainAbout() {
	v.mu.Lock()
	defer v.mu.Unlock()
	own := strings.TrimPrefix(v.p.url, "http://")
	for host := range v.hosts {
		require.Equal(v.t, own, host, "the page asks another host")
	}
	require.Empty(v.t, v.unforgiven(), "the page complains")
}

// showFailure keeps a picture of the page of a test that has failed.
func (v *visitor) showFailure() {
	if !v.t.Failed() || v.ctx.Err() != nil {
		return
	}
	v.shoot("failed-" + strings.ReplaceAll(v.t.Name(), "/", "-"))
	shown, _ := chromedp.Run(v.ctx, chromedp.Evaluate[string](`location.href + '\n' + document.body.innerText`))
	v.t.Logf("the page shows, at %s", shown)
}

// at opens a path of the page, and returns when it shows what it has to show.
func (v *visitor) at(path string) {
	v.t.Helper()
	v.open(v.t, v.p.url+path)
	v.settle()
}

// settle waits until the page has drawn itself and waits for nothing.
func (v *visitor) settle() {
	v.t.Helper()
	v.await(v.t, `document.querySelector('#app')?.childElementCount > 0 && !document.querySelector('.loading, [aria-busy="true"]')`)
	evaluate[bool](v.t, v.tab, `new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`)
}

// signIn fills in the form that the page shows.
func (v *visitor) signIn(username, password string) {
	v.t.Helper()
	v.await(v.t, `document.querySelector('input[name=password]')`)
	v.write(`document.querySelector('input[name=username]')`, username)
	v.write(`document.querySelector('input[name=password]')`, password+"\r")
}

// write types the text into the input, in place of what is there.
func (v *visitor) write(input, text string) {
	v.t.Helper()
	evaluate[bool](v.t, v.tab, `(() => { const input = `+input+`; input.focus(); input.select(); return true })()`)
	require.NoError(v.t, v.do(chromedp.KeyEvent(text)))
}

// see waits until the text is to be seen.
func (v *visitor) see(text string) {
	v.t.Helper()
	v.await(v.t, fmt.Sprintf(`document.body.innerText.includes(%s)`, quote(text)))
}

// path returns the path and query in the address bar.
func (v *visitor) path() string {
	v.t.Helper()
	return evaluate[string](v.t, v.tab, `location.pathname + location.search`)
}

// awaitPath waits until the address bar shows the path, with any query.
func (v *visitor) awaitPath(path string) {
	v.t.Helper()
	v.await(v.t, `location.pathname === `+quote(path))
	v.settle()
}

// named is an expression for the visible elements of a role whose name begins with the text.
func named(role, text string) string {
	return fmt.Sprintf(`[...document.querySelectorAll(%s)].filter((e) => e.checkVisibility() &&
		(e.getAttribute('aria-label') ?? (e.innerText || e.title)).trim().startsWith(%s))`, quote(selectors[role]), quote(text))
}

var selectors = map[string]string{
	"button": `button, [role=button]`,
	"link":   `a[href]`,
	"option": `[role=option], option`,
	"menu":   `[role=menuitem], [role=menuitemradio], [role=menuitemcheckbox]`,
	"tab":    `[role=tab]`,
	"box":    `input[type=checkbox], [role=checkbox], [role=switch]`,
}

// click clicks on the first of the elements, with the mouse, once it is there and can be clicked on.
func (v *visitor) click(role, text string) {
	v.t.Helper()
	elements := named(role, text)
	v.await(v.t, elements+`.some((e) => !e.disabled)`)
	v.clickOn(elements + `.find((e) => !e.disabled)`)
}

// clickOn clicks on the middle of the element.
func (v *visitor) clickOn(element string) {
	v.t.Helper()
	x, y := v.middleOf(element)
	require.NoError(v.t, v.do(chromedp.MouseClickXY(x, y)), element)
}

// middleOf scrolls the element into view and returns where its middle is.
func (v *visitor) middleOf(element string) (x, y float64) {
	v.t.Helper()
	at := evaluate[[]float64](v.t, v.tab, `(() => {
		const element = `+element+`
		element.scrollIntoView({block: 'nearest', behavior: 'instant'})
		const box = element.getBoundingClientRect()
		return [box.x + box.width / 2, box.y + box.height / 2]
	})()`)
	return at[0], at[1]
}

// quote returns the text as JavaScript has it.
func quote(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return string(quoted)
}

// wording returns a text of the page by its key in js/text/en.js, as "signIn.submit": tests hold what the page does, not its wording.
func wording(t *testing.T, key string) string {
	t.Helper()
	texts, err := pageTexts()
	require.NoError(t, err)
	require.Contains(t, texts, key)
	return texts[key]
}

var pageTexts = sync.OnceValues(func() (map[string]string, error) {
	out, err := exec.Command("node", "--input-type=module", "--eval", `
		import {text} from '`+"file://"+absolute("../dashboard/web/js/text/en.js")+`'
		const flat = (object, path = '') => Object.entries(object).flatMap(([key, value]) =>
			typeof value === 'object' ? flat(value, path + key + '.') : [[path + key, String(value)]])
		console.log(JSON.stringify(Object.fromEntries(flat(text))))`).Output()
	if err != nil {
		return nil, fmt.Errorf("reading the page's text with node: %w", err)
	}
	texts := map[string]string{}
	return texts, json.Unmarshal(out, &texts)
})

func absolute(path string) string {
	whole, err := filepath.Abs(path)
	if err != nil {
		panic(err)
	}
	return whole
}
