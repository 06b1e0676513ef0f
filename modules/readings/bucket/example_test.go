package bucket_test

import (
	"fmt"
	"time"

	"telltale/modules/readings/bucket"
)

// The clocks of Berlin are put back on 2026-10-25: that day has 25 hours.
func ExampleGrid_Bounds() {
	interval, err := bucket.ParseInterval("1d")
	if err != nil {
		fmt.Println(err)
		return
	}
	berlin, err := bucket.LoadZone("Europe/Berlin")
	if err != nil {
		fmt.Println(err)
		return
	}
	days := bucket.NewGrid(interval, berlin)
	at := time.Date(2026, 10, 24, 12, 0, 0, 0, time.UTC).UnixMilli()
	for range 3 {
		start, end := days.Bounds(at)
		fmt.Println(time.UnixMilli(start).UTC().Format(time.RFC3339), time.Duration(end-start)*time.Millisecond)
		at = end
	}
	// Output:
	// 2026-10-23T22:00:00Z 24h0m0s
	// 2026-10-24T22:00:00Z 25h0m0s
	// 2026-10-25T23:00:00Z 24h0m0s
}
