package bench

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// goal is a line of the table of targets, with what a run has measured of it.
type goal struct {
	what, unit string
	most       bool // the figure may be at most limit; else it must be at least that
	limit      float64

	measured bool
	figure   float64
	baseline string // what was measured beside it in the same run; "" if nothing was
	beside   float64
}

// goals are all goals, in the order in which they are declared and printed.
var goals []*goal

func atMost(limit float64, unit, what string) *goal {
	goals = append(goals, &goal{what: what, unit: unit, most: true, limit: limit})
	return goals[len(goals)-1]
}

func atLeast(limit float64, unit, what string) *goal {
	g := atMost(limit, unit, what)
	g.most = false
	return g
}

var (
	storageGoal      = atMost(3, "bytes/reading", "storage of folded readings, one per 10 s, indexes included")
	rawGoal          = atMost(110, "ms", "100 devices, 24 h raw: 864,000 points as JSON")
	rawShareGoal     = atMost(0.3, "x", "the same as a share of binary COPY from the plain table")
	hourlyGoal       = atMost(30, "ms", "100 devices, 7 days by the hour")
	oneDeviceGoal    = atLeast(1500, "requests/s", "one device, 24 h raw: 8,640 points, 16 clients")
	latestGoal       = atLeast(10_000, "requests/s", "latest of 100 devices, 16 clients")
	batchesGoal      = atLeast(500_000, "values/s", "ingest, JSON batches of 1,000 x 2 values, 16 clients, durable")
	ingestMemory     = atMost(1.2, "x", "memory after the last turn of that, as a share of the first (3 turns or more)")
	singlesGoal      = atLeast(10_000, "requests/s", "ingest, one reading a request, 16 clients")
	manySinglesGoal  = atLeast(20_000, "requests/s", "ingest, one reading a request, 200 clients")
	idleGoal         = atMost(10, "KiB", "resident memory of an idle viewer")
	fanOutGoal       = atLeast(105_000, "deliveries/s", "fan-out, 5,000 viewers of everything, 4 events under way")
	burstsGoal       = atLeast(1_000_000, "deliveries/s", "bursts of 100 events to 1,000 viewers")
	p50Goal          = atMost(8, "ms", "publish to viewer, 10,000 deliveries/s to 1,000 viewers of everything, p50")
	p99Goal          = atMost(20, "ms", "the same, p99")
	acrossGoal       = atMost(50, "ms", "the same across two instances, p99")
	manyGoal         = atMost(20, "ms", "10,000 deliveries/s to 5,000 viewers of everything, p99")
	ownDeviceGoal    = atMost(20, "ms", "10,000 deliveries/s to 10,000 viewers of one device each, 100 a post, p99")
	ownDevicesGoal   = atMost(20, "ms", "the same, 1,000 a post, p99")
	healthGoal       = atMost(10, "ms", "health while history saturates the machine, p99")
	startGoal        = atMost(150, "ms", "start to ready on an existing database")
	pageBytesGoal    = atMost(150, "KB", "the page: bytes to the first chart, compressed")
	pageRequestsGoal = atMost(12, "requests", "the page: requests to the first chart")
	pageOpenGoal     = atMost(2000, "ms", "the page, with the demo: from opening a device to a moving chart")
	pageTaskGoal     = atMost(50, "ms", "the page, 100 live series at 1 Hz: longest task (0: none over 50 ms)")
	pageHeapGoal     = atMost(1.1, "x", "the same: memory at the end as a share of that at the beginning")
	pageYearGoal     = atMost(300, "ms", "the page, a year of 864,000 readings: from the answer to drawn")
	imageGoal        = atMost(25, "MB", "container image, not compressed")
)

// is notes what was measured, and beside it the figure of a baseline in the same run.
func (g *goal) is(figure float64, baseline string, beside float64) {
	g.measured, g.figure, g.baseline, g.beside = true, figure, baseline, beside
}

// printGoals prints those goals that were measured.
func printGoals(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	header := "\nwhat\there\tbaseline\tratio\ttarget\t\n"
	for _, g := range goals {
		if !g.measured {
			continue
		}
		beside, ratio := "-", "-"
		if g.baseline != "" {
			beside, ratio = short(g.beside)+" "+g.baseline, short(g.figure/g.beside)
		}
		sign, met := ">=", g.figure >= g.limit
		if g.most {
			sign, met = "<=", g.figure <= g.limit
		}
		verdict := map[bool]string{true: "met", false: "missed"}[met]
		fmt.Fprintf(table, "%s%s\t%s %s\t%s\t%s\t%s %s\t%s\n", header, g.what, short(g.figure), g.unit, beside, ratio, sign, short(g.limit), verdict)
		header = ""
	}
	return table.Flush()
}

// short returns three digits or all that are in front of the point.
func short(x float64) string {
	if x >= 100 {
		return fmt.Sprintf("%.0f", x)
	}
	return fmt.Sprintf("%.3g", x)
}
