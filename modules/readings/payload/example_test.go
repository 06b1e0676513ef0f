package payload_test

import (
	"fmt"
	"time"

	"telltale/modules/readings/payload"
)

// numbers gives each series the next number.
type numbers struct {
	device string
	ids    map[string]int32
}

func (r *numbers) Device(id []byte) error {
	r.device = string(id)
	return nil
}

func (r *numbers) Series(metric []byte) (int32, error) {
	name := r.device + " " + string(metric)
	if _, known := r.ids[name]; !known {
		r.ids[name] = int32(len(r.ids))
	}
	return r.ids[name], nil
}

func ExampleDecoder_Decode() {
	var d payload.Decoder
	body, err := d.Decode(payload.Request{
		ContentType: "text/csv",
		Data: []byte("device,ts,temperature,door\n" +
			"greenhouse-7,2026-11-01T12:00:00Z,21.5,true\n" +
			"greenhouse-8,1793534400000,19.8,\n" +
			"greenhouse-8,1793534410000,warm,\n"),
		MaxBytes: 1 << 20,
		Now:      time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC),
	}, &numbers{ids: map[string]int32{}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for i, series := range body.Series {
		fmt.Println("item", body.Item[i], "series", series, time.UnixMilli(body.TS[i]).UTC().Format(time.TimeOnly), body.Value[i])
	}
	for _, reject := range body.Rejects {
		fmt.Println("item", reject.Index, reject.Reason)
	}
	// Output:
	// item 0 series 0 12:00:00 21.5
	// item 0 series 1 12:00:00 1
	// item 1 series 2 12:00:00 19.8
	// item 2 line 4: "warm" is no value; give a finite number with a decimal point, true, false or nothing
}
