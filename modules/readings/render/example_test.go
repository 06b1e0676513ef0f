package render_test

import (
	"fmt"
	"os"

	"telltale/modules/readings/render"
)

func ExampleWriter() {
	flush := func(b []byte) error {
		_, err := os.Stdout.Write(b)
		return err
	}
	header := render.Header{From: 1793534400000, To: 1793534520000, Stamp: 42, Interval: "1m", TZ: "UTC", Columns: []string{"avg", "max"}}
	w := render.NewWriter(render.CSV, header, flush)
	defer w.Release()
	err := w.Series("greenhouse-7", "temperature", "°C")
	for minute := range int64(2) {
		if err == nil {
			err = w.Bucket(1793534400000+minute*60_000, []float64{21.5 + float64(minute), 22})
		}
	}
	if err == nil {
		err = w.End("")
	}
	if err == nil {
		err = w.Flush()
	}
	if err != nil {
		fmt.Println("the connection has to be closed:", err)
	}
	// Output:
	// device,metric,ts,avg,max
	// greenhouse-7,temperature,2026-11-01T12:00:00.000Z,21.5,22
	// greenhouse-7,temperature,2026-11-01T12:01:00.000Z,22.5,22
}
