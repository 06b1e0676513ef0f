package users

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/modules/auth/access"
	"telltale/platform/fault"
	"telltale/platform/postgres/pgtest"
)

func TestUsers_TwoAdministratorsCannotRemoveEachOtherAtOnce(t *testing.T) {
	t.Parallel()
	s := newService(t, pgtest.New(t))
	s.create("admin", nil, access.Admin)
	s.create("second", nil, access.Admin)
	faults := make([]error, 2)
	var both sync.WaitGroup
	for n, name := range []string{"admin", "second"} {
		both.Go(func() { faults[n] = s.Delete(t.Context(), everyone, name) })
	}
	both.Wait()
	kinds := []fault.Kind{fault.KindOf(faults[0]), fault.KindOf(faults[1])}
	require.True(t, slices.Contains(kinds, fault.Conflict), faults)
	require.True(t, faults[0] == nil || faults[1] == nil, faults)
}

func TestUsers_TheFirstIsMadeOnce(t *testing.T) {
	t.Parallel()
	s := newService(t, pgtest.New(t))
	exist, err := s.Any(t.Context())
	require.NoError(t, err)
	require.False(t, exist)
	for n, name := range []string{"admin", "another"} {
		created, err := s.CreateFirst(t.Context(), name, "a good password")
		require.NoError(t, err)
		require.Equal(t, n == 0, created)
	}
	exist, err = s.Any(t.Context())
	require.NoError(t, err)
	require.True(t, exist)
	_, err = s.Get(t.Context(), everyone, "another")
	require.Equal(t, fault.NotFound, fault.KindOf(err))
}

func TestLogin_OfEveryWrongKindCostsOneHash(t *testing.T) {
	t.Parallel()
	s := newService(t, pgtest.New(t))
	s.create("anna", nil, access.DevicesRead)
	s.create("gone", nil, access.DevicesRead)
	_, err := s.Update(t.Context(), everyone, "gone", Change{Disabled: new(true)})
	require.NoError(t, err)
	for username, password := range map[string]string{"anna": "a wrong one", "nobody": "a good password", "gone": "a good password", "n\x00l": "x"} {
		before := s.hasher.count.Load()
		_, _, err := s.Login(t.Context(), username, password, "::1")
		require.Equal(t, fault.Unauthenticated, fault.KindOf(err), username)
		require.EqualError(t, err, wrongPassword().Error())
		require.EqualValues(t, 1, s.hasher.count.Load()-before, username)
	}
}

func TestUsers_CurrentNarrowsWhatATokenSays(t *testing.T) {
	t.Parallel()
	s := newService(t, pgtest.New(t))
	s.create("anna", []string{"lab-*"}, access.DevicesRead, access.ReadingsRead)
	_, account, err := s.Login(t.Context(), "anna", "a good password", "::1")
	require.NoError(t, err)
	said := access.Principal{Subject: "anna", Scopes: []access.Scope{access.DevicesRead, access.DevicesWrite}, Account: account}
	p, err := s.Current(t.Context(), said)
	require.NoError(t, err)
	require.Equal(t, []access.Scope{access.DevicesRead}, p.Scopes)
	require.Equal(t, []string{"lab-*"}, p.Devices)

	changed := make(chan string, 1)
	s.OnChange(func(username string) { changed <- username })
	require.NoError(t, s.ChangePassword(t.Context(), "anna", "a good password", "a better password", "::1"))
	require.Equal(t, "anna", <-changed)
	_, err = s.Current(t.Context(), said)
	require.Equal(t, fault.Unauthenticated, fault.KindOf(err))
}

func TestUsers_CurrentFollowsAnotherInstanceWithinSeconds(t *testing.T) {
	t.Parallel()
	s := newService(t, pgtest.New(t))
	other := newService(t, s.db)
	s.create("anna", nil, access.DevicesRead)
	_, account, err := s.Login(t.Context(), "anna", "a good password", "::1")
	require.NoError(t, err)
	p := access.Principal{Subject: "anna", Account: account}
	_, err = other.Current(t.Context(), p)
	require.NoError(t, err)
	require.NoError(t, s.Delete(t.Context(), everyone, "anna"))
	_, err = s.Current(t.Context(), p)
	require.Equal(t, fault.Unauthenticated, fault.KindOf(err))
	other.clock.Advance(3 * time.Second)
	_, err = other.Current(t.Context(), p)
	require.Equal(t, fault.Unauthenticated, fault.KindOf(err))
}

func TestUsers_HiddenOnesAreNotThere(t *testing.T) {
	t.Parallel()
	s := newService(t, pgtest.New(t))
	s.create("admin", nil, access.Admin)
	s.create("mate", []string{"lab-1"}, access.DevicesRead)
	boss := access.Principal{Subject: "boss", Scopes: []access.Scope{access.Admin}, Devices: []string{"lab-*"}}
	seen, more, err := s.List(t.Context(), boss, "", 1)
	require.NoError(t, err)
	require.Len(t, seen, 1)
	require.Equal(t, "mate", seen[0].Username)
	require.True(t, more)
	_, err = s.Get(t.Context(), boss, "admin")
	require.Equal(t, fault.NotFound, fault.KindOf(err))
	_, err = s.Update(t.Context(), boss, "admin", Change{Disabled: new(true)})
	require.Equal(t, fault.NotFound, fault.KindOf(err))
	require.Equal(t, fault.NotFound, fault.KindOf(s.Delete(t.Context(), boss, "admin")))
	_, err = s.Update(t.Context(), boss, "mate", Change{Devices: new([]string)})
	require.Equal(t, fault.Forbidden, fault.KindOf(err))
}
