package auth

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/platform/fault"
)

func wait(t *testing.T, err error) time.Duration {
	if err == nil {
		return 0
	}
	require.Equal(t, fault.TooManyRequests, fault.KindOf(err))
	return fault.As(err).RetryAfter
}

func TestAUserNameIsSlowedMoreAndMore(t *testing.T) {
	t.Parallel()
	c := newClock()
	throttle := newThrottle(c.Now)
	for n := range userPace.free {
		require.NoError(t, throttle.check("anna", "::1"), n)
		throttle.fail("anna", fmt.Sprint(n))
	}
	require.NoError(t, throttle.check("anna", "::1"))
	for _, seconds := range []int{1, 2, 4, 8, 16, 32, 60, 60, 60} {
		throttle.fail("anna", "elsewhere")
		d := time.Duration(seconds) * time.Second
		require.Equal(t, d, wait(t, throttle.check("anna", "::1")))
		require.NoError(t, throttle.check("bert", "::1"))
		c.advance(d - time.Millisecond)
		require.Equal(t, time.Second, wait(t, throttle.check("anna", "::1")))
		c.advance(time.Millisecond)
		require.NoError(t, throttle.check("anna", "::1"))
	}
	throttle.succeed("anna")
	throttle.fail("anna", "elsewhere")
	require.NoError(t, throttle.check("anna", "::1"))
}

func TestAnAddressIsSlowedWhateverNamesItTries(t *testing.T) {
	t.Parallel()
	c := newClock()
	throttle := newThrottle(c.Now)
	for n := range addressPace.free {
		require.NoError(t, throttle.check("x", "10.0.0.1"))
		throttle.fail(fmt.Sprint("name", n), "10.0.0.1")
	}
	throttle.fail("another", "10.0.0.1")
	require.Equal(t, time.Second, wait(t, throttle.check("x", "10.0.0.1")))
	throttle.succeed("x")
	require.Equal(t, time.Second, wait(t, throttle.check("x", "10.0.0.1")), "a success must not pay for guesses")
	require.NoError(t, throttle.check("x", "10.0.0.2"))
	c.advance(forgetFailures + time.Second)
	throttle.fail("x", "10.0.0.1")
	require.NoError(t, throttle.check("x", "10.0.0.1"), "old failures are forgotten")
}

func TestTheTablesOfFailuresAreBounded(t *testing.T) {
	t.Parallel()
	throttle := newThrottle(newClock().Now)
	for n := range maxFailureEntries + 500 {
		throttle.fail(fmt.Sprint(n), fmt.Sprint(n))
	}
	require.Len(t, throttle.users, maxFailureEntries)
	require.Len(t, throttle.addresses, maxFailureEntries)
}
