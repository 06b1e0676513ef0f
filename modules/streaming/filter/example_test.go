package filter_test

import (
	"fmt"

	"telltale/modules/auth/access"
	"telltale/modules/streaming/filter"
)

// A client asks for a pattern, with credentials that cover two devices only.
func ExampleNew() {
	wanted := filter.Selection{Devices: []string{"lab-*"}}
	f := filter.New(wanted, nil, access.Principal{Devices: []string{"lab-1", "roof"}})
	for _, device := range []string{"lab-1", "lab-2", "roof"} {
		fmt.Println(device, f.Admits(device))
	}
	// Output:
	// lab-1 true
	// lab-2 false
	// roof false
}
