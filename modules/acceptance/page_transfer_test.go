//go:build e2e

package acceptance

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/network"
	browserpage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"telltale/platform/postgres/pgtest"
)

const (
	// begunAt is the time of the first readings of the files, in ms.
	begunAt = 1793534400000
	// oneBad is a file with a line among good ones that is not valid.
	oneBad = "device,ts,temperature,humidity\r\na,1793534400000,21.5,48\r\n\r\na,1793534401000,21.6,warm\r\na,1793534402000,21.7,49"
)

func TestE2EPage_ImportsAFileAndListsTheLinesThatAreNotValid(t *testing.T) {
	t.Parallel()
	p := start(t, pgtest.Config(t))
	v := visitSignedIn(t, p)
	downloads := v.downloads()
	v.at("/import")
	v.give("oneBad.csv", oneBad)
	v.see("21.6") // a preview
	v.clickOn(`document.querySelector('input[value=skip]')`)
	v.lookAround("import-preview")
	v.click("button", wording(t, "transfer.start"))
	v.await(t, `document.querySelector('main .end')`)
	v.await(t, `document.querySelector('.rejects tbody')?.rows.length === 1`)
	require.Equal(t, "4", v.rejected(0, 0), "the line of the file")
	require.Contains(t, v.rejected(0, 1), `"warm" is no value`)
	require.Equal(t, "a,1793534401000,21.6,warm", v.rejected(0, 2))
	require.Equal(t, []string{"2", "4"}, v.numbers(`li:nth-child(2)`), "lines and readings")
	v.lookAround("import-end")
	stored := p.history("")
	require.Equal(t, [][]float64{{begunAt, 21.5}, {begunAt + 2000, 21.7}}, stored["a/temperature"])
	require.Len(t, stored["a/humidity"], 2)

	v.click("button", wording(t, "transfer.linesFile"))
	require.Equal(t, "device,ts,temperature,humidity\na,1793534401000,21.6,warm\n", awaitFile(t, filepath.Join(downloads, "rejected-oneBad.csv")))
	v.click("button", wording(t, "transfer.errorsFile"))
	require.Contains(t, awaitFile(t, filepath.Join(downloads, "errors-oneBad.csv.csv")), "line,reason,text\r\n4,")
}

func TestE2EPage_AnImportThatStopsStoresNothingOfThePartWithTheBadLine(t *testing.T) {
	t.Parallel()
	p := start(t, pgtest.Config(t))
	v := visitSignedIn(t, p)
	v.forgive(`status of 422 .*/api/readings`)
	v.at("/import")
	var file strings.Builder
	file.WriteString("device,ts,temperature\n")
	for i := range 12_000 {
		fmt.Fprintf(&file, "a,%d,%s\n", begunAt+1000*i, map[bool]string{true: "warm", false: "20"}[i == 11_000])
	}
	v.give("long.csv", file.String())
	v.click("button", wording(t, "transfer.start"))
	v.await(t, `document.querySelector('main .end.failure')`)
	require.Equal(t, []string{"11 002", "10 002", "12 001", "10 000"}, v.numbers(`.end`), "the line, those not stored, those before")
	require.Equal(t, "11002", v.rejected(0, 0))
	require.Len(t, p.history("")["a/temperature"], 10_000)

	v.click("button", wording(t, "transfer.settings"))
	v.await(t, `document.querySelector('input[value=skip]')`)
	v.clickOn(`document.querySelector('input[value=skip]')`)
	v.click("button", wording(t, "transfer.start"))
	v.await(t, `document.querySelector('main .end:not(.failure)')`)
	require.Len(t, p.history("")["a/temperature"], 11_999)
}

// Files of every kind: what is recognised, and what is stored of it.
func TestE2EPage_ImportsEveryFormat(t *testing.T) {
	t.Parallel()
	p := start(t, pgtest.Config(t))
	v := visitSignedIn(t, p)
	for _, file := range []struct{ name, text, series string }{
		{"items.ndjson", `{"device":"items","ts":1793534400000,"values":{"m":1}}` + "\n", "items/m"},
		{"lines.lp", "m,host=lines value=1 1793534400000000000\n", "lines/m"},
		{"seconds.lp", "m,host=lines-in-seconds value=1 1793534400\n", "lines-in-seconds/m"},
		{"seconds.csv", "device,timestamp,m\nrows-in-seconds,1793534400,1\n", "rows-in-seconds/m"},
		{"quoted.csv", "\ufeffm,device,ts\r\n\"1\",\"quoted\",\"2026-11-01T12:00:00Z\"\r\n", "quoted/m"},
		{"packed.csv.gz", gzipped(t, "device,ts,m\npacked,1793534400000,1\n"), "packed/m"},
		{"members.csv.gz", gzipped(t, "device,ts,") + gzipped(t, "m\nmembers,1793534400000,1\n"), "members/m"},
		{"long.txt", "device,metric,ts,value\nlong,m,2026-11-01T12:00:00.000Z,1\n", "long/m"},
	} {
		v.at("/import")
		v.give(file.name, file.text)
		v.click("button", wording(t, "transfer.start"))
		v.await(t, `document.querySelector('main .end')`)
		require.Equal(t, [][]float64{{begunAt, 1}}, p.history("")[file.series], file.name)
	}
	v.at("/import")
	v.drop("dropped.csv", "device,ts,m\ndropped,1793534400000,1\n")
	v.click("button", wording(t, "transfer.start"))
	v.await(t, `document.querySelector('main .end')`)
	require.Equal(t, [][]float64{{begunAt, 1}}, p.history("")["dropped/m"])
	for key, file := range map[string]string{"binary": "\x89PNG\r\n\x1a\n\x00", "empty": "", "separator": "device;ts;m\n", "device": "ts,m\n1,2\n"} {
		v.at("/import")
		v.give("nonsense.csv", file)
		v.see(wording(t, "transfer.problems."+key))
		require.Zero(t, evaluate[int](t, v.tab, named("button", wording(t, "transfer.start"))+`.filter((e) => !e.disabled).length`), key)
	}
}

// The server stops in the middle of an import, and the session ends: it goes on once they are back. Leaving the page meanwhile asks.
func TestE2EPage_AnImportWaitsForTheServerAndTheSession(t *testing.T) {
	t.Parallel()
	p := start(t, pgtest.Config(t))
	v := visitSignedIn(t, p)
	v.forgive(`log: Failed to load resource: net::ERR_`, `status of 50\d`, `status of 401`)
	v.at("/import")
	v.give("a.csv", "device,ts,m\na,1793534400000,1\n")
	require.Zero(t, p.stop(), p.log)
	v.click("button", wording(t, "transfer.start"))
	v.see(wording(t, "transfer.away"))
	evaluate[bool](t, v.tab, `(setTimeout(() => location.reload()), true)`)
	require.Eventually(t, func() bool { v.mu.Lock(); defer v.mu.Unlock(); return v.leaving }, browserTimeout, 20*time.Millisecond)
	command(t, v.tab, browserpage.HandleJavaScriptDialog, browserpage.HandleJavaScriptDialogParams{Accept: false})
	command(t, v.tab, network.ClearBrowserCookies, cdp.Empty{})
	p.start()
	v.signIn("admin", adminPassword)
	v.await(t, `document.querySelector('main .end')`)
	require.Equal(t, [][]float64{{begunAt, 1}}, p.history("")["a/m"])
}

func TestE2EPage_ImportsByKeyboardAlone(t *testing.T) {
	t.Parallel()
	p := start(t, pgtest.Config(t))
	v := visitSignedIn(t, p)
	v.at("/import")
	command(t, v.tab, browserpage.SetInterceptFileChooserDialog, browserpage.SetInterceptFileChooserDialogParams{Enabled: true})
	v.tabTo(`document.activeElement.type === 'file'`)
	require.NoError(t, v.do(chromedp.KeyEvent(" ")))
	require.Eventually(t, func() bool { v.mu.Lock(); defer v.mu.Unlock(); return v.chooser != 0 }, browserTimeout, 20*time.Millisecond)
	command(t, v.tab, dom.SetFileInputFiles, dom.SetFileInputFilesParams{Files: []string{fileOf(t, "a.csv", oneBad)}, BackendNodeID: v.chooser})
	v.see("21.6")
	v.tabTo(`document.activeElement.name === 'bad'`)
	require.NoError(t, v.do(chromedp.KeyEvent(kb.ArrowDown)))
	v.tabTo(`document.activeElement.innerText === ` + quote(wording(t, "transfer.start")))
	require.NoError(t, v.do(chromedp.KeyEvent(kb.Enter)))
	v.await(t, `document.querySelector('main .end') && document.activeElement.closest('.running')`) // from where it goes on
	require.Len(t, p.history("")["a/temperature"], 2)
}

func TestE2EPage_ExportsWhatIsStored(t *testing.T) {
	t.Parallel()
	p := start(t, pgtest.Config(t))
	p.call("POST", "/api/readings", "text/csv", "device,ts,temperature,humidity\na,1793534400000,21.5,48\nb,1793534401000,20,\nc,1793534402000,1,\n", nil)
	v := visitSignedIn(t, p)
	downloads := v.downloads()
	v.at("/import?range=1793534400000..1793538000000")
	v.click("button", wording(t, "range.back")) // twice as long
	v.clickOn(`document.querySelector('.export input[name=device]')`)
	for _, device := range []string{"a", "b*"} {
		require.NoError(t, v.do(chromedp.KeyEvent(device+"\r")))
	}
	v.await(t, `document.querySelectorAll('.choice')[0].querySelectorAll('li button').length === 2`)
	v.clickOn(`document.querySelector('.export input[name=metric]')`)
	require.NoError(t, v.do(chromedp.KeyEvent("temperature\r")))
	v.await(t, `document.querySelectorAll('.choice')[1].querySelectorAll('li button').length === 1`)
	v.await(t, `document.querySelector('.amount')?.innerText.match(/\d+/)?.[0] === '2'`)
	v.lookAround("export-chosen")
	v.click("link", "Download CSV")
	require.Equal(t, "device,metric,ts,value\na,temperature,2026-11-01T12:00:00.000Z,21.5\nb,temperature,2026-11-01T12:00:01.000Z,20\n",
		awaitFile(t, filepath.Join(downloads, "readings-2026-11-01.csv")))

	v.at(v.path() + "&format=ndjson&interval=1d&agg=max")
	link := evaluate[string](t, v.tab, `document.querySelector('a[download]').getAttribute('href')`)
	status, text, err := p.try("GET", link, "", nil)
	require.NoError(t, err)
	require.Equal(t, 200, status, "%s", text)
	require.Equal(t, `{"device":"a","metric":"temperature","ts":1793491200000,"max":21.5}`, strings.Split(string(text), "\n")[0])
	v.clickOn(`document.querySelector('.programs summary')`)
	v.see(v.p.url + link)
}

// Who may not send readings sees no import, and who may not read them no export.
func TestE2EPage_ShowsOfImportAndExportWhatAPersonMayUse(t *testing.T) {
	t.Parallel()
	p := start(t, pgtest.Config(t))
	p.person("reader", []string{"readings:read"}, nil)
	p.person("writer", []string{"readings:write"}, []string{"a*"})
	p.person("keeper", []string{"devices:read"}, nil)
	for name, shown := range map[string][]bool{"reader": {false, true}, "writer": {true, false}, "keeper": {false, false}} {
		v := visitAs(t, p, name)
		v.forgive(`status of 403 .*/api/devices`) // signing in leads to the devices
		v.at("/import")
		require.Equal(t, shown, []bool{
			evaluate[bool](t, v.tab, `Boolean(document.querySelector('main input[type=file]'))`),
			evaluate[bool](t, v.tab, `Boolean(document.querySelector('.export'))`),
		}, name)
		require.Equal(t, name != "keeper", evaluate[bool](t, v.tab, `Boolean(document.querySelector('.bar a[href="/import"]'))`), name)
	}
}

// give chooses a file of that text in the page's input.
func (v *visitor) give(name, text string) {
	v.t.Helper()
	const input = `document.querySelector('main input[type=file]')`
	v.await(v.t, input)
	found := command(v.t, v.tab, runtime.Evaluate, runtime.EvaluateParams{Expression: input})
	command(v.t, v.tab, dom.SetFileInputFiles, dom.SetFileInputFilesParams{
		Files: []string{fileOf(v.t, name, text)}, ObjectID: found.Result.ObjectID,
	})
	v.await(v.t, `document.querySelector('.chosen-file')?.innerText.includes(`+quote(name)+`)`)
}

// drop lets a file of that text go over the page.
func (v *visitor) drop(name, text string) {
	v.t.Helper()
	evaluate[bool](v.t, v.tab, fmt.Sprintf(`(() => {
		const dataTransfer = new DataTransfer()
		dataTransfer.items.add(new File([%s], %s))
		for (const type of ['dragover', 'drop'])
			document.querySelector('.drop').dispatchEvent(new DragEvent(type, {dataTransfer, bubbles: true, cancelable: true}))
		return true
	})()`, quote(text), quote(name)))
	v.await(v.t, `document.querySelector('.chosen-file')?.innerText.includes(`+quote(name)+`)`)
}

func fileOf(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func gzipped(t *testing.T, text string) string {
	t.Helper()
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, err := w.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return packed.String()
}

// downloads returns the folder into which the browser puts what it downloads from now on.
func (v *visitor) downloads() string {
	v.t.Helper()
	dir := v.t.TempDir()
	command(v.t, v.tab, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
		Behavior: browser.SetDownloadBehaviorBehaviorAllow, DownloadPath: dir,
	})
	return dir
}

// awaitFile returns the text of a file once it is there. A browser writes to another name until it is whole.
func awaitFile(t *testing.T, path string) string {
	t.Helper()
	var text []byte
	require.Eventually(t, func() bool {
		var err error
		text, err = os.ReadFile(path)
		return err == nil && len(text) > 0
	}, browserTimeout, 20*time.Millisecond, path)
	return string(text)
}

// rejected returns a cell of the list of lines that are not valid.
func (v *visitor) rejected(row, column int) string {
	v.t.Helper()
	return evaluate[string](v.t, v.tab, fmt.Sprintf(`document.querySelector('.rejects tbody').rows[%d].cells[%d].innerText.trim()`, row, column))
}

// numbers returns the numbers in an element of the import, with spaces between thousands.
func (v *visitor) numbers(selector string) []string {
	v.t.Helper()
	return evaluate[[]string](v.t, v.tab, `document.querySelector('.running `+selector+`').innerText.replace(/\u2009/g, ' ').match(/\d+( \d{3})*/g)`)
}

// tabTo presses Tab until the focus is where it should be.
func (v *visitor) tabTo(there string) {
	v.t.Helper()
	for range 60 {
		require.NoError(v.t, v.do(chromedp.KeyEvent(kb.Tab)))
		if evaluate[bool](v.t, v.tab, there) {
			return
		}
	}
	require.Fail(v.t, "Tab does not lead there", there)
}

// lookAround looks at what is shown, on a desk and on a phone.
func (v *visitor) lookAround(name string) {
	v.t.Helper()
	for _, s := range []size{phone, desk} {
		v.on(s)
		v.settle()
		v.requireFitting()
		v.requireAccessible(name)
		v.shoot(name + "-" + s.name)
	}
}
