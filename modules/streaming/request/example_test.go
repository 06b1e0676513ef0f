package request_test

import (
	"fmt"
	"net/url"
	"time"

	"telltale/modules/readings/batchlog"
	"telltale/modules/streaming/request"
	"telltale/platform/fault"
)

// A page reconnects by its stand-in for EventSource, which puts the last id into the URL, and a parameter against caches.
func ExampleParse() {
	query, _ := url.ParseQuery("device=lab-*&slow=gap&lastEventId=1793523600000042:7&_=1793523600")
	r, err := request.Parse(request.FromQuery(request.Values(query)), "", time.Now())
	fmt.Println(r.Devices, r.Slow, r.From, err)

	_, err = request.Parse(request.Values{"every": {"1ms"}, "slow": {"gap"}}, "", time.Now())
	for _, wrong := range fault.As(err).Fields {
		fmt.Printf("%s: %s\n", wrong.Name, wrong.Reason)
	}
	// Output:
	// [lab-*] gap 1793523600000042:7 <nil>
	// every: must be a whole number and a unit, from "1s" to "1h", not "1ms"
}

func ExampleRequest_Gap() {
	r, _ := request.Parse(request.Values{"device": {"lab-1"}, "metric": {"temperature"}}, "", time.Now())
	gap := r.Gap("retention", batchlog.Missing{FirstStamp: 7, LastStamp: 9, MinTS: 1793523600000, MaxTS: 1793523659999})
	fmt.Println(*gap.From, "to", *gap.To)
	fmt.Println(gap.URL)
	// Output:
	// 2026-11-01T09:00:00.000Z to 2026-11-01T09:01:00.000Z
	// /api/readings?device=lab-1&from=2026-11-01T09%3A00%3A00.000Z&metric=temperature&to=2026-11-01T09%3A01%3A00.000Z
}
