package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// watch runs in the page from its beginning: when did the first chart have something on it, when did that first change, which
// tasks took long. Times are in ms of performance.now(), -1 for what has not happened.
const watch = `
globalThis.watched = {drawn: -1, moved: -1, longest: 0, canvases: 0}
{
	const w = globalThis.watched
	new PerformanceObserver((list) => {
		for (const {duration} of list.getEntries()) w.longest = Math.max(w.longest, duration)
	}).observe({type: 'longtask', buffered: true})
	const inkOf = (canvas) => {
		const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
		let sum = 0, coloured = 0
		for (let i = 0; i < data.length; i += 4) {
			sum = (sum * 31 + data[i] + data[i + 3]) | 0
			if (data[i + 3] && (Math.abs(data[i] - data[i + 1]) > 24 || Math.abs(data[i + 1] - data[i + 2]) > 24)) coloured++
		}
		return {sum, coloured}
	}
	let first = 0
	const look = () => {
		const canvas = document.querySelector('figure.chart:not([aria-busy=true]) canvas')
		if (canvas && canvas.width && w.moved < 0) {
			const {sum, coloured} = inkOf(canvas)
			if (w.drawn < 0 && coloured > 100) [w.drawn, first] = [performance.now(), sum]
			else if (w.drawn >= 0 && sum !== first) w.moved = performance.now()
		}
		if (w.moved < 0) requestAnimationFrame(look)
	}
	requestAnimationFrame(look)
}`

// until promises the value of the expression as soon as it is at least 0.
func until(expression string) string {
	return `new Promise((done) => {
		const look = () => { const value = (` + expression + `); value >= 0 ? done(value) : setTimeout(look, 10) }
		look()
	})`
}

// BenchmarkPageOpen measures, with the simulated devices of the demo, what the first chart of a device costs a browser that has
// never been here, and the time from opening its page until that chart has moved for the first time.
func BenchmarkPageOpen(b *testing.B) {
	browse(b) // or skip
	p := startCommand(b, shared.database(b), []string{"demo"})
	b.Cleanup(p.stop)
	p.login(b)
	awaitDemo(b, p)
	const path = "/devices/greenhouse-01?range=15m"
	var drawn, moved, sizes, counts samples
	for b.Loop() {
		t := browse(b)
		t.signIn(p)
		t.forget()
		t.before(watch)
		t.do(chromedp.Navigate("http://" + p.address + path))
		drawn = append(drawn, t.figure(until("watched.drawn")))
		moved = append(moved, t.figure(until("watched.moved")))

		m := newMeter(b, p)
		t = browse(b)
		t.signIn(&program{address: m.Listener.Addr().String()})
		t.before(watch)
		t.forget()
		m.reset()
		t.do(chromedp.Navigate(m.URL + path))
		t.figure(until("watched.drawn"))
		size, requests := m.read()
		sizes, counts = append(sizes, float64(size)/1e3), append(counts, float64(requests))
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(sizes.at(0.5), "KB")
	b.ReportMetric(counts.at(0.5), "requests")
	b.ReportMetric(drawn.at(0.5), "drawn-ms")
	b.ReportMetric(moved.at(0.5), "moved-ms")
	pageBytesGoal.is(sizes.at(0.5), "", 0)
	pageRequestsGoal.is(counts.at(0.5), "", 0)
	pageOpenGoal.is(moved.at(0.5), "ms: first drawn", drawn.at(0.5))
}

// awaitDemo waits until the demo has written its history and posts live.
func awaitDemo(b *testing.B, p *program) {
	b.Helper()
	began := time.Now()
	for time.Since(began) < patience {
		from := fmt.Sprint(time.Now().Add(-3 * time.Second).UnixMilli())
		answer := p.ask(b, p.get("/api/readings", url.Values{"device": {"weather-05"}, "metric": {"temperature"}, "from": {from}}))
		var history struct {
			Series []struct{ Points [][]float64 }
		}
		require.NoError(b, json.Unmarshal(answer, &history))
		if len(history.Series) > 0 && len(history.Series[0].Points) > 0 {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	require.FailNow(b, "the demo does not begin to post", p.logTail())
}

// BenchmarkPageLive has one page follow 100 series, each with a reading a second, and reports its longest task, by the clock and by the
// processor, and how its memory grows: after a first span in which it warms up, over three spans.
func BenchmarkPageLive(b *testing.B) {
	t := browse(b)
	p := runProgram(b, shared.database(b))
	p.login(b)
	const series = 100
	stop := make(chan struct{})
	var posting sync.WaitGroup
	defer posting.Wait()
	defer close(stop)
	c := p.client(b)
	for ago := time.Minute; ago >= 0; ago -= time.Second { // the page's whole range: what it holds does not grow by being filled
		require.NoError(b, postSeries(c, p, series, time.Now().Add(-ago)))
	}
	posting.Go(func() {
		for tick := time.NewTicker(time.Second); ; {
			select {
			case <-tick.C:
				_ = postSeries(c, p, series, time.Now()) // the page would stop moving
			case <-stop:
				return
			}
		}
	})
	t.signIn(p)
	t.before(watch)
	query := url.Values{"range": {"1m"}}
	for i := range series {
		query.Add("metric", seriesName(i))
	}
	t.do(chromedp.Navigate("http://" + p.address + "/devices/many?" + query.Encode()))
	t.figure(until("watched.moved"))
	require.EqualValues(b, series, t.figure(`document.querySelectorAll('figure.chart').length`))
	var longest, busiest, growth, share samples
	for b.Loop() {
		t.figure(fmt.Sprintf(`new Promise((done) => setTimeout(done, %d, 0))`, span.Milliseconds()))
		before := t.heap()
		busiest = append(busiest, t.busiestTask(func() {
			t.figure(`new Promise((done) => setTimeout(() => done(watched.longest = 0), 1000))`) // what the collection took is not the page's
			longest = append(longest, t.figure(fmt.Sprintf(`new Promise((done) => setTimeout(() => done(watched.longest), %d))`, 3*span.Milliseconds())))
		}))
		after := t.heap()
		growth, share = append(growth, (after-before)/1024), append(share, after/before)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(longest.at(1), "longest-ms")
	b.ReportMetric(busiest.at(1), "busiest-cpu-ms")
	b.ReportMetric(growth.at(0.5), "growth-KiB")
	pageTaskGoal.is(longest.at(1), "ms of the processor", busiest.at(1))
	pageHeapGoal.is(share.at(0.5), "", 0)
}

func seriesName(i int) string { return fmt.Sprintf("m%03d", i) }

// postSeries stores a reading of one instant in each series of the device "many".
func postSeries(c *client, p *program, series int, at time.Time) error {
	values := make([]string, series)
	for i := range values {
		values[i] = fmt.Sprintf(`%q:%.1f`, seriesName(i), 20+5*math.Sin(float64(at.UnixMilli())/1e4+float64(i)))
	}
	request, _ := p.post(fmt.Appendf(nil, `{"readings":[{"device":"many","ts":%d,"values":{%s}}]}`, at.UnixMilli(), strings.Join(values, ",")))
	return c.call(request)
}

// heap returns the bytes of JavaScript in use after a collection.
func (t *tab) heap() float64 {
	t.b.Helper()
	_, err := chromedp.Call(t.ctx, heapprofiler.CollectGarbage, cdp.Empty{})
	require.NoError(t.b, err)
	usage, err := chromedp.Call(t.ctx, runtime.GetHeapUsage, cdp.Empty{})
	require.NoError(t.b, err)
	return usage.UsedSize
}

// BenchmarkPageYear has a chart ask for a year of 864,000 readings, and reports the time from the end of the answer until they are
// drawn.
func BenchmarkPageYear(b *testing.B) {
	t := browse(b)
	p := runProgram(b, shared.database(b))
	p.login(b)
	const readings, batch = 864_000, 8_640
	const step = 365 * 24 * time.Hour / readings
	c := p.client(b)
	now := time.Now()
	for first := 0; first < readings; first += batch {
		var body strings.Builder
		body.WriteString(`{"readings":[`)
		for i := range batch {
			fmt.Fprintf(&body, `{"device":"year","ts":%d,"values":{"temperature":%.1f}},`,
				now.Add(-step*time.Duration(readings-first-i)).UnixMilli(), 20+8*math.Sin(float64(first+i)/1e4)+float64(i%7)/10)
		}
		request, _ := p.post([]byte(strings.TrimSuffix(body.String(), ",") + "]}"))
		require.NoError(b, c.call(request))
	}
	t.signIn(p)
	t.before(watch)
	var took, asked samples
	for b.Loop() {
		t.do(chromedp.Navigate("http://" + p.address + "/devices/year?range=1y"))
		drawn := t.figure(until("watched.drawn"))
		const last = `performance.getEntriesByType('resource').filter((e) => e.name.includes('/api/readings')).at(-1)`
		took = append(took, drawn-t.figure(last+`.responseEnd`))
		asked = append(asked, t.figure(last+`.duration`))
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(took.at(0.5), "ms")
	b.ReportMetric(asked.at(0.5), "answer-ms")
	pageYearGoal.is(took.at(0.5), "ms: the answer", asked.at(0.5))
}

// meter passes requests on to a program, and counts them and the bytes of the answers' bodies as they are on the wire.
type meter struct {
	*httptest.Server

	mu              sync.Mutex
	bytes, requests int
}

func newMeter(b *testing.B, p *program) *meter {
	m := &meter{}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: p.address})
			r.Out.Host = r.In.Host
		},
		Transport:     &http.Transport{DisableCompression: true}, // what the browser asks for goes through
		FlushInterval: -1,
		ModifyResponse: func(response *http.Response) error {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.requests++
			response.Body = &metered{response.Body, m}
			return nil
		},
		ErrorLog: log.New(io.Discard, "", 0), // browsers go
	}
	m.Server = httptest.NewServer(proxy)
	b.Cleanup(m.CloseClientConnections)
	return m
}

// metered is the body of an answer whose bytes count.
type metered struct {
	io.ReadCloser
	meter *meter
}

func (body *metered) Read(into []byte) (int, error) {
	n, err := body.ReadCloser.Read(into)
	body.meter.mu.Lock()
	defer body.meter.mu.Unlock()
	body.meter.bytes += n
	return n, err
}

func (m *meter) reset() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.bytes, m.requests = 0, 0
}

func (m *meter) read() (bytes, requests int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.bytes, m.requests
}
