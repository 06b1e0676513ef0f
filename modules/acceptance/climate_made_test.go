package acceptance

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// makeClimate makes up a file such as the real ones are: rows of nodes that report irregularly, in not quite the order of time,
// a few instants twice and with other values. It covers the end of summer time and that of a month.
func makeClimate() string {
	random := rand.New(rand.NewPCG(11, 12))
	first := time.Date(2016, 10, 29, 9, 0, 0, 0, time.UTC)
	var rows []string
	for at := first; at.Before(first.Add(80 * time.Hour)); at = at.Add(time.Duration(1000+random.IntN(60_000)) * time.Millisecond) {
		for node := range 3 {
			ts := at.Add(time.Duration(random.IntN(900)) * time.Millisecond)
			rows = append(rows, makeRow(random, node, ts))
			if random.IntN(500) == 0 {
				rows = append(rows, makeRow(random, node, ts))
			}
		}
		if n := len(rows); random.IntN(20) == 0 {
			slices.Reverse(rows[max(0, n-5):])
		}
	}
	return "device,ts,temperature,humidity,light_1,light_2,occupants,door,window\n" + strings.Join(rows, "\n") + "\n"
}

func makeRow(random *rand.Rand, node int, ts time.Time) string {
	return fmt.Sprintf("made-up-%d,%s,%.2f,%.2f,%d,%d,%d,%d,%d", node, ts.Format("2006-01-02T15:04:05.000Z"),
		19+4*random.Float64(), 40+10*random.Float64(), random.IntN(800), random.IntN(800), random.IntN(4), random.IntN(2), random.IntN(2))
}
