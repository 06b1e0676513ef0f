package tokens

import (
	"strconv"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"telltale/modules/auth/clocktest"
)

func TestVerified_TokensAreRememberedForAMinuteAndNotBeyondTheirEnd(t *testing.T) {
	t.Parallel()
	clock := clocktest.New()
	v := newVerified(clock.Now)
	long, short := &claims{}, &claims{}
	long.ExpiresAt, short.ExpiresAt = jwt.NewNumericDate(clock.Now().Add(time.Hour)), jwt.NewNumericDate(clock.Now().Add(10*time.Second))
	v.keep("long", long)
	v.keep("short", short)
	for _, step := range []struct {
		after       time.Duration
		long, short bool
	}{{0, true, true}, {11 * time.Second, true, false}, {50 * time.Second, false, false}} {
		clock.Advance(step.after)
		_, ok := v.find("long")
		require.Equal(t, step.long, ok)
		_, ok = v.find("short")
		require.Equal(t, step.short, ok)
	}
	_, ok := v.find("unknown")
	require.False(t, ok)
	for i := range verifiedTokens + 10 {
		v.keep(strconv.Itoa(i), long)
	}
	require.LessOrEqual(t, len(v.tokens), verifiedTokens)
}
