//go:build e2e

package acceptance

import (
	"testing"
	"time"

	browserpage "github.com/chromedp/cdproto/page"
	"github.com/stretchr/testify/require"

	"telltale/platform/postgres/pgtest"
)

func TestE2EPage_AReadingAppearsByItself(t *testing.T) {
	t.Parallel()
	p := start(t, pgtest.Config(t))
	p.postSeconds("a", "temperature", time.Now(), 1)
	v := visitSignedIn(t, p)
	v.at("/devices/a?range=1h")
	v.drawn(1)
	v.awaitTable([]int{1})
	posted := time.Now()
	p.postSeconds("a", "temperature", posted, 4217)
	v.awaitTable([]int{1, 4217})
	t.Logf("a reading was in the table %s after it was posted", time.Since(posted).Round(time.Millisecond))
}

// A metric that there was not has its chart when its first reading arrives: the page, which is kept from asking for the device again and
// again, learns of it by the stream.
func TestE2EPage_ANewMetricAppearsWithItsFirstReading(t *testing.T) {
	t.Parallel()
	p := start(t, pgtest.Config(t))
	p.postSeconds("a", "temperature", time.Now(), 1)
	v := visitSignedIn(t, p)
	command(t, v.tab, browserpage.AddScriptToEvaluateOnNewDocument, browserpage.AddScriptToEvaluateOnNewDocumentParams{
		Source: `{ const set = setInterval; globalThis.setInterval = (f, wait, ...more) => wait >= 5000 ? 0 : set(f, wait, ...more) }`,
	})
	v.at("/devices/a?range=1h")
	v.drawn(1)
	p.postSeconds("a", "humidity", time.Now(), 33)
	v.drawn(2)
	v.see("humidity")
	v.clickOn(`document.querySelector('.chooser summary')`)
	v.await(t, `[...document.querySelectorAll('.chooser label')].map((e) => e.innerText.trim()).join() === 'humidity,temperature'`)
}

// What the page holds is what the log holds, each reading once, after the server was stopped, killed and started again.
func TestE2EPage_MissesNothingWhileTheServerRestarts(t *testing.T) {
	t.Parallel()
	p := start(t, pgtest.Config(t))
	began := time.Now().Add(-5 * time.Minute)
	post := func(first, last int) {
		p.postSeconds("a", "temperature", began.Add(time.Duration(last)*time.Second), upTo(first, last)...)
	}
	post(1, 10)
	v := visitSignedIn(t, p)
	v.forgive(`log: Failed to load resource: net::ERR_`, `status of 503`)
	v.at("/devices/a?range=1h")
	v.drawn(1)
	post(11, 20)
	v.awaitTable(upTo(1, 20))
	require.Zero(t, p.stop(), p.log)
	v.see(wording(t, "connection.reconnecting"))
	p.start()
	post(21, 40) // perhaps before the page is back
	v.awaitTable(upTo(1, 40))
	post(41, 60)
	p.kill() // perhaps before they have come
	p.start()
	post(61, 80)
	v.awaitTable(upTo(1, 80))
	require.Len(t, p.history("device=a&metric=temperature")["a/temperature"], 80)
}

// A page that is open while the database is away goes on by itself when it is back, with every reading that was stored meanwhile.
func TestE2EPage_MissesNothingWhileTheDatabaseIsAway(t *testing.T) {
	t.Parallel()
	gate, db := newGate(t, pgtest.Config(t))
	p := start(t, db)
	began := time.Now().Add(-5 * time.Minute)
	post := func(first, last int) {
		p.postSeconds("a", "temperature", began.Add(time.Duration(last)*time.Second), upTo(first, last)...)
	}
	post(1, 10)
	v := visitSignedIn(t, p)
	v.forgive(`status of 503`)
	v.at("/devices/a?range=1h")
	v.drawn(1)
	for round := range 2 {
		first := 10 + 20*round
		gate.shut()
		v.clickOn(`document.querySelector('[aria-pressed=false]')`) // another range, which has to be asked for
		v.see(wording(t, "state.database"))
		v.awaitTable(upTo(1, first)) // what was there stays
		gate.open()
		p.await("/readyz", 200)
		post(first+1, first+20)
		v.await(t, `!document.querySelector('.failure')`)
		v.awaitTable(upTo(1, first+20))
	}
	require.Len(t, p.history("device=a&metric=temperature")["a/temperature"], 50)
}

func TestE2EPage_SaysThatTheDatabaseIsAwayAndGoesOnByItself(t *testing.T) {
	t.Parallel()
	gate, db := newGate(t, pgtest.Config(t))
	p := start(t, db)
	p.postSeconds("a", "temperature", time.Now(), 1)
	p.postSeconds("b", "temperature", time.Now(), 7)
	v := visitSignedIn(t, p)
	v.forgive(`status of 503`)
	v.at("/devices/a?range=1h")
	v.drawn(1)
	gate.shut()
	v.awaitTable([]int{1}) // what was there stays
	v.click("link", wording(t, "nav.devices"))
	v.see(wording(t, "state.database"))
	gate.open()
	v.await(t, `!document.querySelector('.failure')`)
	v.at("/devices/a?range=1h")
	v.drawn(1)
	p.await("/readyz", 200)
	p.postSeconds("a", "temperature", time.Now(), 4217)
	v.see("4217")
}
