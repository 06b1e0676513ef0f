package bench

import (
	"encoding/json"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/tracing"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// traced is an event of the browser's trace, as far as it is read here.
type traced struct {
	Name, Ph string
	Pid, Tid int
	Tdur     float64 // µs of the processor
	Args     struct{ Name string }
}

// mainThread is what Chromium calls the thread that a page runs on.
const mainThread = "CrRendererMain"

// busiestTask returns how much of the processor the longest task of the page takes in ms, while the function runs. On a machine that has
// more to do, a task takes longer by the clock than that: it waits for the processor too.
func (t *tab) busiestTask(during func()) float64 {
	t.b.Helper()
	t.mu.Lock()
	t.trace, t.complete = nil, make(chan struct{})
	complete := t.complete
	t.mu.Unlock()
	_, err := chromedp.Call(t.ctx, tracing.Start, tracing.StartParams{
		TransferMode: tracing.StartTransferModeReportEvents,
		TraceConfig:  &tracing.TraceConfig{IncludedCategories: []string{"toplevel"}},
	})
	require.NoError(t.b, err)
	during()
	_, err = chromedp.Call(t.ctx, tracing.End, cdp.Empty{})
	require.NoError(t.b, err)
	select {
	case <-complete:
	case <-time.After(patience):
		require.FailNow(t.b, "the browser does not end its trace")
	}
	return longestOf(t.trace)
}

// listen collects the events of a trace.
func (t *tab) listen(raw any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch e := raw.(type) {
	case *tracing.EventDataCollected:
		for _, value := range e.Value {
			var event traced
			if json.Unmarshal(value, &event) == nil {
				t.trace = append(t.trace, event)
			}
		}
	case *tracing.EventTracingComplete:
		close(t.complete)
	}
}

// longestOf returns the ms of the processor that the longest task on the main thread of a page took.
func longestOf(trace []traced) (longest float64) {
	type thread struct{ pid, tid int }
	pages := map[thread]bool{}
	for _, e := range trace {
		if e.Name == "thread_name" && e.Args.Name == mainThread {
			pages[thread{e.Pid, e.Tid}] = true
		}
	}
	for _, e := range trace {
		if e.Ph == "X" && pages[thread{e.Pid, e.Tid}] {
			longest = max(longest, e.Tdur/1000)
		}
	}
	return longest
}
