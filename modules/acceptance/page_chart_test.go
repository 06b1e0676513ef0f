//go:build e2e

package acceptance

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"telltale/platform/postgres/pgtest"
)

// postEvery stores values of a metric, one each interval, the last of them at the time given.
func (p *program) postEvery(interval time.Duration, device, metric string, last time.Time, values ...int) {
	p.t.Helper()
	var body strings.Builder
	for i, value := range values {
		at := last.Add(time.Duration(i+1-len(values)) * interval).UnixMilli()
		fmt.Fprintf(&body, `{"device":%q,"ts":%d,"values":{%q:%d}}`+"\n", device, at, metric, value)
	}
	p.call("POST", "/api/readings", "application/x-ndjson", body.String(), nil)
}

// postSeconds stores values of a metric, a second apart, the last of them at the time given.
func (p *program) postSeconds(device, metric string, last time.Time, values ...int) {
	p.t.Helper()
	p.postEvery(time.Second, device, metric, last, values...)
}

// upTo returns the whole numbers from first to last.
func upTo(first, last int) (all []int) {
	for n := first; n <= last; n++ {
		all = append(all, n)
	}
	return all
}

// drawn waits until the page shows n charts and each of them has been drawn.
func (v *visitor) drawn(n int) {
	v.t.Helper()
	v.await(v.t, fmt.Sprintf(`document.querySelectorAll('figure.chart canvas').length === %d`, n))
	v.settle()
}

// table returns the values in the table behind the chart with that place on the page, the oldest first.
func (v *visitor) table(chart int) []string {
	v.t.Helper()
	figure := fmt.Sprintf(`document.querySelectorAll('figure.chart')[%d]`, chart)
	if evaluate[bool](v.t, v.tab, figure+`.querySelector('.table-switch').ariaExpanded !== 'true'`) {
		v.clickOn(figure + `.querySelector('.table-switch')`)
		v.await(v.t, figure+`.querySelector('tbody')`)
	}
	return evaluate[[]string](v.t, v.tab, `[...`+figure+`.querySelectorAll('tbody tr')].map((row) => row.cells[1].innerText).reverse()`)
}

// awaitTable waits until the table behind the first chart has these values, and none besides.
func (v *visitor) awaitTable(values []int) {
	v.t.Helper()
	want := make([]string, len(values))
	for i, value := range values {
		want[i] = fmt.Sprint(value)
	}
	v.table(0)
	v.await(v.t, fmt.Sprintf(`document.querySelectorAll('figure.chart tbody tr').length >= %d`, len(values)))
	require.Equal(v.t, want, v.table(0))
}

// area returns the edges of the plotted area of the chart with that place on the page.
func (v *visitor) area(chart int) (left, top, width, height float64) {
	v.t.Helper()
	box := evaluate[[]float64](v.t, v.tab, fmt.Sprintf(`(() => {
		const over = document.querySelectorAll('figure.chart .u-over')[%d]
		over.scrollIntoView({block: 'center', behavior: 'instant'})
		const {x, y, width, height} = over.getBoundingClientRect()
		return [x, y, width, height]
	})()`, chart))
	return box[0], box[1], box[2], box[3]
}

// drag draws the mouse over a chart, from one part of its width to another.
func (v *visitor) drag(chart int, from, to float64) {
	v.t.Helper()
	left, top, width, height := v.area(chart)
	y := top + height/2
	steps := []chromedp.Action[chromedp.Void]{
		chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, left+width*from, y),
		chromedp.MouseEvent(input.DispatchMouseEventTypeMousePressed, left+width*from, y, chromedp.ButtonLeft, chromedp.ClickCount(1)),
	}
	for part := 1; part <= 5; part++ {
		x := left + width*(from+(to-from)*float64(part)/5)
		steps = append(steps, chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, x, y, chromedp.ButtonLeft))
	}
	steps = append(steps, chromedp.MouseEvent(input.DispatchMouseEventTypeMouseReleased, left+width*to, y, chromedp.ButtonLeft, chromedp.ClickCount(1)))
	require.NoError(v.t, v.do(steps...))
}

// pinch moves two fingers on a chart away from each other, to twice their distance and more.
func (v *visitor) pinch(chart int) {
	v.t.Helper()
	left, top, width, height := v.area(chart)
	touch := func(kind input.DispatchTouchEventType, parts ...float64) {
		points := []*input.TouchPoint{}
		for finger, part := range parts {
			points = append(points, &input.TouchPoint{X: left + width*part, Y: top + height/2, ID: new(float64(finger))})
		}
		command(v.t, v.tab, input.DispatchTouchEvent, input.DispatchTouchEventParams{Type: kind, TouchPoints: points})
	}
	touch(input.DispatchTouchEventTypeTouchStart, 0.4)
	touch(input.DispatchTouchEventTypeTouchStart, 0.4, 0.6)
	for _, apart := range []float64{0.12, 0.16, 0.2, 0.25} {
		touch(input.DispatchTouchEventTypeTouchMove, 0.5-apart, 0.5+apart)
	}
	touch(input.DispatchTouchEventTypeTouchEnd)
}

// edges returns the range that the address bar names, once it is one from a time to a time.
func (v *visitor) edges() (from, to int64) {
	v.t.Helper()
	v.await(v.t, `/range=\d+\.\.\d+/.test(location.search)`)
	edges := evaluate[[]int64](v.t, v.tab, `/range=(\d+)\.\.(\d+)/.exec(location.search).slice(1).map(Number)`)
	return edges[0], edges[1]
}

func TestE2EPage_WhatIsZoomedIntoIsInTheAddressAndShowsOthersTheSame(t *testing.T) {
	t.Parallel()
	p := start(t, pgtest.Config(t))
	began := time.Now()
	p.postSeconds("a", "humidity", began.Add(-time.Minute), upTo(1, 600)...)
	p.postSeconds("a", "temperature", began.Add(-time.Minute), upTo(1, 600)...)
	v := visitSignedIn(t, p)
	v.at("/devices/a?range=15m")
	v.drawn(2)
	v.drag(0, 0.4, 0.7)
	from, to := v.edges()
	require.InDelta(t, (15 * time.Minute * 3 / 10).Milliseconds(), to-from, 15_000, "the dragged part of a quarter of an hour")
	v.drawn(2)
	first, second := v.table(0), v.table(1)
	require.Equal(t, first, second, "both charts show the same time")
	require.NotEmpty(t, first)
	require.Less(t, len(first), 600)

	other := visitSignedIn(t, p)
	other.at(v.path())
	other.drawn(2)
	require.Equal(t, first, other.table(0))

	v.drag(1, 0.25, 0.75)
	v.await(t, fmt.Sprintf(`!location.search.includes('%d..%d')`, from, to))
	closerFrom, closerTo := v.edges()
	require.InDelta(t, (to-from)/2, closerTo-closerFrom, float64(to-from)/20)
	v.back(t)
	v.await(t, fmt.Sprintf(`location.search.includes('%d..%d')`, from, to))
}

// back clicks on the first chart twice, which goes back to the range before.
func (v *visitor) back(t *testing.T) {
	left, top, width, height := v.area(0)
	x, y := left+width/2, top+height/2
	require.NoError(t, v.do(chromedp.MouseClickXY(x, y), chromedp.MouseClickXY(x, y, chromedp.ClickCount(2))))
}

func TestE2EPage_TwoFingersZoomOnAPhone(t *testing.T) {
	t.Parallel()
	p := start(t, pgtest.Config(t))
	p.postSeconds("a", "temperature", time.Now(), upTo(1, 300)...)
	v := visitSignedIn(t, p)
	v.on(phone)
	v.at("/devices/a?range=15m")
	v.drawn(1)
	v.requireFitting()
	v.pinch(0)
	from, to := v.edges()
	require.InDelta(t, (15*time.Minute).Milliseconds()*2/5, to-from, 60_000, "what was between the fingers fills twice the space and more")
}
