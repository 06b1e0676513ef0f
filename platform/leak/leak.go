// Package leak tells of goroutines that the tests of a package have left.
package leak

import (
	"time"

	"go.uber.org/goleak"
)

// patience is how long goroutines may take to end that have been told to: goleak's own half second may be too short for
// those on a busy machine.
const patience = 20 * time.Second

// Find returns an error that shows the goroutines which do not end, if there are any.
func Find(ignore ...goleak.Option) error {
	for began := time.Now(); ; {
		err := goleak.Find(ignore...)
		if err == nil || time.Since(began) > patience {
			return err
		}
	}
}
