// Package leak finds goroutines that the tests of a package have left running. Main is for the TestMain of packages without a
// database. Package pgtest, which has a server to stop first, calls Exit.
//
// It is for tests alone. Packages that start lasting goroutines say which of them may stay.
package leak

import (
	"fmt"
	"os"
	"testing"
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

// Main is for the TestMain of a package: it runs the tests, which fail when goroutines are left over, and ends the process.
func Main(m *testing.M, ignore ...goleak.Option) { Exit(m.Run(), ignore...) }

// Exit ends the process as the code of its tests says, or as failed when they have passed but goroutines are left over.
func Exit(code int, ignore ...goleak.Option) {
	if code == 0 {
		if err := Find(ignore...); err != nil {
			fmt.Fprintln(os.Stderr, "goroutines are left after the tests:", err)
			code = 1
		}
	}
	os.Exit(code)
}
