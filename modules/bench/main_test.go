package bench

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"testing"
	"time"
)

// span is how long one throughput is measured in one turn.
var span = flag.Duration("span", 10*time.Second, "how long one throughput is measured in one turn")

// roleVariable makes this test binary play one of the roles instead of running benchmarks: baselines that have to be a
// process of their own, as the program is.
const roleVariable = "TELLTALE_BENCH_ROLE"

var roles = map[string]func(args []string) error{"echo": echo, "probe": probe}

func TestMain(m *testing.M) {
	if role := roles[os.Getenv(roleVariable)]; role != nil {
		if err := role(os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	code := m.Run()
	if err := errors.Join(data.close(), shared.close(), printGoals(os.Stdout)); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}
