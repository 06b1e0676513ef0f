package keys

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"telltale/modules/auth/access"
	"telltale/modules/auth/clocktest"
	"telltale/platform/fault"
	"telltale/platform/postgres/pgtest"
)

// everyone may do everything.
var everyone = access.Principal{Subject: "root", Scopes: []access.Scope{access.Admin}}

func TestKeys_VerifyTakesTheWholeTextAndNothingElse(t *testing.T) {
	t.Parallel()
	s := New(pgtest.New(t), time.Now, zap.NewNop())
	key, text, err := s.Create(t.Context(), everyone, Draft{Name: "door", Scopes: []access.Scope{access.DevicesWrite}, Devices: []string{"door-1"}})
	require.NoError(t, err)
	p, err := s.Verify(t.Context(), text)
	require.NoError(t, err)
	require.Equal(t, access.Principal{Subject: "door", Scopes: []access.Scope{access.DevicesWrite}, Devices: []string{"door-1"}, KeyID: key.ID}, p)
	_, other, err := s.Create(t.Context(), everyone, Draft{Name: "another"})
	require.NoError(t, err)
	swapped := text[:len("tt_")+len(key.ID)] + other[len("tt_")+len(key.ID):]
	for _, wrong := range []string{"", "tt_", text + "x", text[:len(text)-1], swapped} {
		_, err := s.Verify(t.Context(), wrong)
		require.Equal(t, fault.Unauthenticated, fault.KindOf(err), wrong)
	}
}

func TestKeys_EndWithinSecondsOnOtherInstances(t *testing.T) {
	t.Parallel()
	db, clock := pgtest.New(t), clocktest.New()
	s, other := New(db, clock.Now, zap.NewNop()), New(db, clock.Now, zap.NewNop())
	key, text, err := s.Create(t.Context(), everyone, Draft{Name: "door"})
	require.NoError(t, err)
	for _, instance := range []*Service{s, other} {
		_, err := instance.Verify(t.Context(), text)
		require.NoError(t, err)
	}
	revoked := make(chan string, 1)
	s.OnChange(func(id string) { revoked <- id })
	require.NoError(t, s.Revoke(t.Context(), everyone, key.ID))
	require.Equal(t, key.ID, <-revoked)
	_, err = s.Current(t.Context(), key.ID)
	require.Equal(t, fault.Unauthenticated, fault.KindOf(err))
	_, err = other.Current(t.Context(), key.ID)
	require.NoError(t, err, "what an instance has just heard stands for seconds")
	clock.Advance(3 * time.Second)
	_, err = other.Verify(t.Context(), text)
	require.Equal(t, fault.Unauthenticated, fault.KindOf(err))
}

func TestKeys_HiddenOnesAreNotThere(t *testing.T) {
	t.Parallel()
	s := New(pgtest.New(t), time.Now, zap.NewNop())
	hidden, _, err := s.Create(t.Context(), everyone, Draft{Name: "hidden"})
	require.NoError(t, err)
	boss := access.Principal{Subject: "boss", Scopes: []access.Scope{access.Admin}, Devices: []string{"lab-*"}}
	for _, id := range []string{hidden.ID, "aaaaaaaaaaaaaaaa", "x", "\x00"} {
		require.Equal(t, fault.NotFound, fault.KindOf(s.Revoke(t.Context(), boss, id)), id)
	}
	_, _, err = s.Create(t.Context(), boss, Draft{Name: "wide"})
	require.Equal(t, fault.Forbidden, fault.KindOf(err))
	own, _, err := s.Create(t.Context(), boss, Draft{Name: "own", Devices: []string{"lab-1"}})
	require.NoError(t, err)
	seen, more, err := s.List(t.Context(), boss, true, "", 10)
	require.NoError(t, err)
	require.False(t, more)
	require.Equal(t, []Key{own}, seen)
}

func TestKeys_OfTheOperatorNameTheFlagsThatAreWrong(t *testing.T) {
	t.Parallel()
	s := New(pgtest.New(t), time.Now, zap.NewNop())
	_, err := s.CreateByOperator(t.Context(), Draft{Name: " x", Scopes: []access.Scope{"all"}, Devices: []string{"ok", "[a"}})
	require.ErrorContains(t, err, "--name must have")
	require.ErrorContains(t, err, "--scope must be among")
	require.ErrorContains(t, err, "--device is neither")
	text, err := s.CreateByOperator(t.Context(), Draft{Name: "door", Scopes: []access.Scope{access.Admin}})
	require.NoError(t, err)
	p, err := s.Verify(t.Context(), text)
	require.NoError(t, err)
	require.True(t, p.Can(access.Admin))
}
