package retry_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/platform/retry"
)

func TestWait_IsWhatTheServerAsksForWithinBounds(t *testing.T) {
	t.Parallel()
	const unasked, most = 3 * time.Second, 90 * time.Second
	for asked, wait := range map[string]time.Duration{
		"": unasked, "soon": unasked, "-1": unasked, "1.5": unasked, "99999999999999999999": unasked,
		"0": 0, "1": time.Second, "90": most, "91": most, "9223372036854775807": most,
	} {
		require.Equal(t, wait, retry.After(http.Header{"Retry-After": {asked}}, unasked, most), asked)
	}
	require.Equal(t, unasked, retry.After(http.Header{}, unasked, most))
}

func TestPause_EndsWithTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		require.NoError(t, retry.Pause(t.Context(), time.Hour))
		require.Equal(t, time.Hour, time.Since(began))

		enough := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Minute, func() { cancel(enough) })
		require.Equal(t, enough, retry.Pause(ctx, time.Hour))
		require.Equal(t, time.Hour+time.Minute, time.Since(began))
	})
}
