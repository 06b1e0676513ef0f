package password

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"
	"github.com/stretchr/testify/require"

	"telltale/platform/fault"
)

func TestHasher_HasAHashForUnknownUsersAsCostlyAsAnyOther(t *testing.T) {
	t.Parallel()
	h := NewHasher(Params)
	match, err := h.Compare("password", h.dummy)
	require.NoError(t, err)
	require.False(t, match)
	real, err := h.Hash(t.Context(), "password")
	require.NoError(t, err)
	params := func(hash string) string { return hash[:strings.LastIndex(hash[:strings.LastIndex(hash, "$")], "$")] }
	require.Equal(t, "$argon2id$v=19$m=19456,t=2,p=1", params(real))
	require.Equal(t, params(real), params(h.dummy))
	require.Len(t, h.dummy, len(real))
	match, err = h.Compare("password", real)
	require.NoError(t, err)
	require.True(t, match)
}

func TestHasher_IsBounded(t *testing.T) {
	t.Parallel()
	h := NewHasher(argon2id.Params{Memory: 64, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32})
	h.wait = time.Millisecond
	h.permits, h.queue = make(chan struct{}, 1), make(chan struct{}, 2)
	done, err := h.Acquire(t.Context())
	require.NoError(t, err)
	_, err = h.Hash(t.Context(), "waits in vain")
	require.Equal(t, fault.Unavailable, fault.KindOf(err))
	h.wait = time.Hour
	ctx, cancel := context.WithCancel(t.Context())
	waiting := make(chan error)
	go func() {
		_, err := h.Hash(ctx, "waits")
		waiting <- err
	}()
	require.Eventually(t, func() bool { return len(h.queue) == 2 }, time.Minute, time.Millisecond)
	_, err = h.Hash(t.Context(), "finds no room to wait")
	require.Equal(t, fault.Unavailable, fault.KindOf(err))
	cancel()
	require.Equal(t, fault.Unavailable, fault.KindOf(<-waiting))
	done()
	_, err = h.Hash(t.Context(), "goes at once")
	require.NoError(t, err)
	require.Empty(t, h.queue)
	require.Empty(t, h.permits)
}
