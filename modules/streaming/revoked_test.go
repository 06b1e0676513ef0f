package streaming

import (
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"

	"telltale/modules/auth"
	"telltale/modules/auth/access"
	"telltale/modules/auth/authtest"
	"telltale/modules/auth/users"
	"telltale/platform/fault"
	"telltale/platform/postgres/pgtest"
)

// The recheck of all viewers is an hour away here.
func TestRevocation_EndsAStreamOfThisInstanceAtOnce(t *testing.T) {
	t.Parallel()
	a := withAccounts(t, pgtest.New(t))
	follow := func(who *instance) *stream { return open(t, a.url("access_token="+who.bearer), "") }
	key, id := a.key(t, nil)
	anna, bob, keyed := follow(a.user(t, "anna")), follow(a.user(t, "bob")), follow(key)
	other, _ := a.key(t, nil)
	rest := []*stream{follow(a.user(t, "carl")), follow(other)}
	a.parked(t, 5)

	refused := func(s *stream, n int) {
		t.Helper()
		s.untilEnd()
		require.Contains(t, s.comments, "token refused")
		require.Equal(t, "token refused", a.ended(t, n)["reason"])
	}
	require.NoError(t, a.users.Delete(t.Context(), everyone, "anna"))
	refused(anna, 1)
	_, err := a.users.Update(t.Context(), everyone, "bob", users.Change{Scopes: &[]access.Scope{access.DevicesRead}})
	require.NoError(t, err)
	refused(bob, 2)
	require.NoError(t, a.keys.Revoke(t.Context(), everyone, id))
	refused(keyed, 3)

	_, err = a.users.Update(t.Context(), everyone, "carl", users.Change{Scopes: &[]access.Scope{access.ReadingsRead, access.DevicesRead}})
	require.NoError(t, err, "his token covers no more than before")
	_, err = a.users.Create(t.Context(), everyone, users.Draft{Username: "dora", Password: "a fine password", Scopes: []access.Scope{access.Admin}})
	require.NoError(t, err)
	require.Eventually(t, func() bool { return len(a.hub.changes) == 0 }, waiting, tick)
	a.post(t, datum{"a", "m", 1, 1})
	for _, s := range rest {
		s.read(1)
	}
	require.Equal(t, 2, a.hub.viewers())
}

// changingGuard has credentials changed just after they have been checked.
type changingGuard struct {
	guard
	change func()
}

func (g *changingGuard) RequireBrowser(scopes ...access.Scope) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if err := auth.Admit(c, everyone, scopes...); err != nil {
			return err
		}
		g.change()
		return c.Next()
	}
}

func TestRevocation_EndsAStreamThatOpenedBeforeItWasKnown(t *testing.T) {
	t.Parallel()
	opinion, g := &verdict{}, &changingGuard{guard: authtest.As(everyone)}
	i := start(t, pgtest.New(t), func(o *options) { o.checker, o.guard = opinion, g })
	g.change = func() { i.hub.noteChange(anybody) }
	open(t, i.url(""), "")
	i.parked(t, 1) // for this one the change was none
	g.change = func() {
		opinion.kind.Store(int64(fault.Unauthenticated))
		i.hub.noteChange(func(access.Principal) bool { return false }) // who is there already is not concerned
	}
	late := open(t, i.url(""), "")
	late.untilEnd()
	require.Contains(t, late.comments, "token refused")
	require.Equal(t, "token refused", i.ended(t, 1)["reason"])
	require.Equal(t, 1, i.hub.viewers())
}

func TestRevocation_MoreChangesThanCanWaitBlockNoCaller(t *testing.T) {
	t.Parallel()
	i := start(t, pgtest.New(t))
	i.stop()
	for range 2 * maxChanges {
		i.hub.noteChange(anybody)
	}
}
