package event_test

import (
	"fmt"

	"telltale/modules/streaming/event"
)

func ExampleParsePosition() {
	for _, id := range []string{"1793523600000042:0", "1793523600000042:7", "1793523600000042", "1793523600000042@1793523600000", "yesterday"} {
		position, err := event.ParsePosition(id)
		if err != nil {
			fmt.Println(id, err)
			continue
		}
		fmt.Printf("%v: all batches up to %d, %d readings of the next\n", position, position.Stamp, position.Next)
	}
	// Output:
	// 1793523600000042:0: all batches up to 1793523600000041, 1 readings of the next
	// 1793523600000042:7: all batches up to 1793523600000041, 8 readings of the next
	// 1793523600000042: all batches up to 1793523600000042, 0 readings of the next
	// 1793523600000042@1793523600000: all batches up to 1793523600000042, 0 readings of the next
	// yesterday must be the id of an event ("<seq>:<n>", or "<seq>@<until>" of buckets) or a seq
}
