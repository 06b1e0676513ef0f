package password

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/modules/auth/clocktest"
	"telltale/platform/fault"
)

func wait(t *testing.T, err error) time.Duration {
	if err == nil {
		return 0
	}
	require.Equal(t, fault.TooManyRequests, fault.KindOf(err))
	return fault.As(err).RetryAfter
}

func TestThrottle_SlowsANameFromAnAddressMoreAndMore(t *testing.T) {
	t.Parallel()
	c := clocktest.New()
	throttle := NewThrottle(c.Now)
	for range loginPace.free {
		require.NoError(t, throttle.Check("anna", "10.0.0.1"))
		throttle.Fail("anna", "10.0.0.1")
	}
	require.NoError(t, throttle.Check("anna", "10.0.0.1"))
	for _, seconds := range []int{1, 2, 4, 8, 16, 32, 60, 60, 60} {
		throttle.Fail("anna", "10.0.0.1")
		d := time.Duration(seconds) * time.Second
		require.Equal(t, d, wait(t, throttle.Check("anna", "10.0.0.1")))
		require.NoError(t, throttle.Check("bert", "10.0.0.1"))
		require.NoError(t, throttle.Check("anna", "10.0.0.2"), "what fails elsewhere keeps no user out")
		c.Advance(d - time.Millisecond)
		require.Equal(t, time.Second, wait(t, throttle.Check("anna", "10.0.0.1")))
		c.Advance(time.Millisecond)
		require.NoError(t, throttle.Check("anna", "10.0.0.1"))
	}
	throttle.Succeed("anna", "10.0.0.1")
	throttle.Fail("anna", "10.0.0.1")
	require.NoError(t, throttle.Check("anna", "10.0.0.1"))
}

func TestThrottle_SlowsAnAddressWhateverNamesItTries(t *testing.T) {
	t.Parallel()
	c := clocktest.New()
	throttle := NewThrottle(c.Now)
	throttle.Succeed("owner", "10.0.0.1")
	for n := range addressPace.free {
		require.NoError(t, throttle.Check("x", "10.0.0.1"))
		throttle.Fail(fmt.Sprint("name", n), "10.0.0.1")
	}
	throttle.Fail("another", "10.0.0.1")
	require.Equal(t, time.Second, wait(t, throttle.Check("x", "10.0.0.1")))
	require.NoError(t, throttle.Check("owner", "10.0.0.1"), "who has logged in from there goes by the own failures alone")
	throttle.Fail("owner", "10.0.0.1")
	require.Equal(t, 2*time.Second, wait(t, throttle.Check("x", "10.0.0.1")))
	throttle.Succeed("owner", "10.0.0.1")
	require.Equal(t, 2*time.Second, wait(t, throttle.Check("x", "10.0.0.1")), "a success must not pay for guesses")
	require.NoError(t, throttle.Check("x", "10.0.0.2"))
	c.Advance(forgetFailures + time.Second)
	throttle.Fail("x", "10.0.0.1")
	require.NoError(t, throttle.Check("x", "10.0.0.1"), "old failures are forgotten")
	for n := range addressPace.free {
		throttle.Fail(fmt.Sprint("name", n), "10.0.0.1")
	}
	require.NoError(t, throttle.Check("owner", "10.0.0.1"))
	c.Advance(knownFor)
	for n := range addressPace.free + 1 {
		throttle.Fail(fmt.Sprint("name", n), "10.0.0.1")
	}
	require.NotZero(t, wait(t, throttle.Check("owner", "10.0.0.1")), "an address is not a user's own for ever")
}

// Many addresses guess at one name: each has one attempt, and the owner none fewer than before.
func TestThrottle_LeavesManyGuessingAddressesOneAttemptEach(t *testing.T) {
	t.Parallel()
	throttle := NewThrottle(clocktest.New().Now)
	throttle.Succeed("admin", "192.0.2.1")
	address := func(n int) string { return fmt.Sprintf("10.0.%d.%d", n/256, n%256) }
	for n := range 1000 {
		require.NoError(t, throttle.Check("admin", address(n)), "a right password from elsewhere is looked at")
		throttle.Fail("admin", address(n))
		if n > warnAfter {
			require.Equal(t, time.Second, wait(t, throttle.Check("admin", address(n))))
		}
	}
	for range loginPace.free {
		throttle.Fail("admin", "192.0.2.1")
		require.NoError(t, throttle.Check("admin", "192.0.2.1"))
	}
	throttle.Renew("admin")
	throttle.Fail("admin", address(2000))
	require.NoError(t, throttle.Check("admin", address(2000)))
}

func TestThrottle_TakesAnIPv6NetworkForOneAddress(t *testing.T) {
	t.Parallel()
	for address, same := range map[string]string{
		"2001:db8:1:2::1":  "2001:db8:1:2:ffff::7",
		"fe80::1%eth0":     "fe80::2%eth1",
		"::ffff:192.0.2.1": "192.0.2.1",
		"":                 "",
	} {
		require.Equal(t, network(address), network(same))
	}
	require.NotEqual(t, network("2001:db8:1:2::1"), network("2001:db8:1:3::1"))
	require.NotEqual(t, network("192.0.2.1"), network("192.0.2.2"))
	throttle := NewThrottle(clocktest.New().Now)
	for n := range loginPace.free + 1 {
		throttle.Fail("anna", fmt.Sprintf("2001:db8::%x", n))
	}
	require.NotZero(t, wait(t, throttle.Check("anna", "2001:db8::ffff")))
}

func TestThrottle_TablesAreBounded(t *testing.T) {
	t.Parallel()
	throttle := NewThrottle(clocktest.New().Now)
	for n := range maxFailureEntries + 500 {
		name, address := fmt.Sprint(n), fmt.Sprintf("10.%d.%d.%d", n>>16, n>>8&255, n&255)
		throttle.Fail(name, address)
		throttle.Succeed(name, address)
		throttle.Fail(name, address)
	}
	for _, size := range []int{len(throttle.users), len(throttle.addresses), len(throttle.logins), len(throttle.known)} {
		require.Equal(t, maxFailureEntries, size)
	}
}
