package saved

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"telltale/modules/auth/access"
	"telltale/modules/streaming/filter"
	"telltale/platform/fault"
	"telltale/platform/postgres/pgtest"
)

var (
	anna  = access.Principal{Subject: "anna", Scopes: []access.Scope{access.ReadingsRead}}
	admin = access.Principal{Subject: "boss", Scopes: []access.Scope{access.Admin}}
)

// words are a selection of one device.
func words(device string) filter.Selection { return filter.Selection{Devices: []string{device}} }

func TestFilters_NameASelectionByItsOwnerAndItsLists(t *testing.T) {
	t.Parallel()
	filters := NewFilters(pgtest.New(t))
	save := func(who access.Principal, s filter.Selection) string {
		t.Helper()
		kept, err := filters.Save(t.Context(), who, s)
		require.NoError(t, err)
		require.True(t, isID(kept.ID))
		return kept.ID
	}
	first := save(anna, filter.Selection{Devices: []string{"b", "a"}, Metrics: []string{"m"}})
	require.Equal(t, first, save(anna, filter.Selection{Devices: []string{"a", "b"}, Metrics: []string{"m"}}), "the order does not matter")
	seen := map[string]string{first: "the first"}
	for name, c := range map[string]struct {
		who access.Principal
		s   filter.Selection
	}{
		"another owner":       {admin, filter.Selection{Devices: []string{"a", "b"}, Metrics: []string{"m"}}},
		"a key of the owner":  {access.Principal{Subject: "anna", KeyID: "k"}, filter.Selection{Devices: []string{"a", "b"}, Metrics: []string{"m"}}},
		"other devices":       {anna, filter.Selection{Devices: []string{"a"}, Metrics: []string{"m"}}},
		"devices as tags":     {anna, filter.Selection{Tags: []string{"a", "b"}, Metrics: []string{"m"}}},
		"all of the metrics":  {anna, filter.Selection{Devices: []string{"a", "b"}}},
		"none of the metrics": {anna, filter.Selection{Devices: []string{"a", "b"}, Metrics: []string{}}},
	} {
		id := save(c.who, c.s)
		require.Empty(t, seen[id], name)
		seen[id] = name
	}
}

func TestFilters_ComeBackAsTheyWereSaved(t *testing.T) {
	t.Parallel()
	filters := NewFilters(pgtest.New(t))
	for name, c := range map[string]struct{ saved, want filter.Selection }{
		"in order":            {filter.Selection{Devices: []string{"b*", "a"}, Tags: []string{"y", "x"}}, filter.Selection{Devices: []string{"a", "b*"}, Tags: []string{"x", "y"}}},
		"absent lists":        {filter.Selection{}, filter.Selection{}},
		"empty is not absent": {filter.Selection{Devices: []string{}, Metrics: []string{}}, filter.Selection{Devices: []string{}, Metrics: []string{}}},
	} {
		kept, err := filters.Save(t.Context(), anna, c.saved)
		require.NoError(t, err, name)
		found, err := filters.Find(t.Context(), anna, kept.ID)
		require.NoError(t, err, name)
		require.Equal(t, kept, found, name)
		require.Equal(t, c.want, found.Selection, name)
		require.Equal(t, anna.Owner(), found.Owner, name)
	}
}

func TestFilters_AreSeenByTheirOwnerAndByAdministratorsOfEverything(t *testing.T) {
	t.Parallel()
	filters := NewFilters(pgtest.New(t))
	kept, err := filters.Save(t.Context(), anna, filter.Selection{Devices: []string{"a", "b"}, Tags: []string{}})
	require.NoError(t, err)
	narrowAdmin := admin
	narrowAdmin.Devices = []string{"a"}
	narrowOwner := anna
	narrowOwner.Devices = []string{"a"}
	for name, c := range map[string]struct {
		who  access.Principal
		sees bool
	}{
		"the owner": {anna, true}, "the owner, narrowed": {narrowOwner, true}, "another": {access.Principal{Subject: "bob"}, false},
		"an administrator": {admin, true}, "an administrator of some devices": {narrowAdmin, false},
	} {
		found, err := filters.Find(t.Context(), c.who, kept.ID)
		list, errList := filters.List(t.Context(), c.who)
		require.NoError(t, errList, name)
		if !c.sees {
			require.Equal(t, fault.NotFound, fault.KindOf(err), name)
			require.Equal(t, fault.NotFound, fault.KindOf(filters.Delete(t.Context(), c.who, kept.ID)), name)
			require.Empty(t, list, name)
			continue
		}
		require.NoError(t, err, name)
		require.Equal(t, kept, found, name)
		two, none := 2, 0
		require.Equal(t, []Summary{{ID: kept.ID, Owner: kept.Owner, Created: kept.Created, DeviceCount: &two, TagCount: &none}}, list, name)
	}
	require.NoError(t, filters.Delete(t.Context(), admin, kept.ID))
	_, err = filters.Find(t.Context(), anna, kept.ID)
	require.Equal(t, fault.NotFound, fault.KindOf(err))
}

func TestFilters_AreListedTheNewestFirst(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	filters := NewFilters(db)
	var want []string
	for i := range 3 {
		kept, err := filters.Save(t.Context(), anna, words(fmt.Sprint(i)))
		require.NoError(t, err)
		_, err = db.Exec(t.Context(), `UPDATE stream_filters SET created_at = now() - $2 * interval '1 hour' WHERE id = $1`, kept.ID, i)
		require.NoError(t, err)
		want = append(want, kept.ID)
	}
	list, err := filters.List(t.Context(), anna)
	require.NoError(t, err)
	var got []string
	for _, s := range list {
		got = append(got, s.ID)
	}
	require.Equal(t, want, got)
}

func TestFilters_KnowNoIDThatIsNone(t *testing.T) {
	t.Parallel()
	filters := NewFilters(pgtest.New(t))
	for _, id := range []string{"", "x", "\x00", strings.Repeat("A", 21), strings.Repeat("A", 22), strings.Repeat("A", 23), "%", "AAAAAAAAAAAAAAAAAAAAA="} {
		_, err := filters.Find(t.Context(), admin, id)
		require.Equal(t, fault.NotFound, fault.KindOf(err), "%q", id)
		require.Equal(t, fault.NotFound, fault.KindOf(filters.Delete(t.Context(), admin, id)), "%q", id)
	}
}

// Many requests of one owner come at once, to several instances: the limit holds all the same.
func TestFilters_KeepToTheirNumber(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	filters := NewFilters(db)
	_, err := db.Exec(t.Context(), `
INSERT INTO stream_filters (id, owner, body) SELECT 'f' || n, $1, '{}' FROM generate_series(1, $2) n`, anna.Owner(), maxFilters-2)
	require.NoError(t, err)
	var all sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		all.Go(func() { _, errs[i] = filters.Save(t.Context(), anna, words(fmt.Sprint(i))) })
	}
	all.Wait()
	kept := 0
	for i, err := range errs {
		if err == nil {
			kept++
			_, err = filters.Save(t.Context(), anna, words(fmt.Sprint(i)))
			require.NoError(t, err, "one that is there already is not one more")
			continue
		}
		require.Equal(t, fault.Invalid, fault.KindOf(err))
	}
	require.Equal(t, 2, kept)
	_, err = filters.Save(t.Context(), admin, words("of another"))
	require.NoError(t, err)
}

func TestFilters_AreNotTooLong(t *testing.T) {
	t.Parallel()
	filters := NewFilters(pgtest.New(t))
	_, err := filters.Save(t.Context(), anna, words(strings.Repeat("x", maxBytes)))
	require.Equal(t, fault.TooLarge, fault.KindOf(err))
	_, err = filters.Save(t.Context(), anna, words(strings.Repeat("x", maxBytes-len(`{"device":[""]}`))))
	require.NoError(t, err)
}

func TestStore_FiltersGoWithTheirUser(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	s, id, name := store{db}, strings.Repeat("A", 22), "anna"
	_, err := s.save(t.Context(), id, "user:anna", &name, []byte(`{}`))
	require.Equal(t, fault.Unauthenticated, fault.KindOf(err), "there is no such user any more")
	_, err = db.Exec(t.Context(), `INSERT INTO users (username, password_hash, scopes) VALUES ('anna', '', '{}')`)
	require.NoError(t, err)
	_, err = s.save(t.Context(), id, "user:anna", &name, []byte(`{}`))
	require.NoError(t, err)
	_, err = db.Exec(t.Context(), `DELETE FROM users`)
	require.NoError(t, err)
	_, err = s.find(t.Context(), id, "user:anna", false)
	require.Equal(t, fault.NotFound, fault.KindOf(err))
}

func TestStore_FiltersOfAKeyThatHasEndedGoWithTheNextSave(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	s := store{db}
	id := func(letter string) string { return strings.Repeat(letter, 22) }
	for name, column := range map[string]string{"lives": "expires_at = now() + interval '1 hour'", "revoked": "revoked_at = now()", "expired": "expires_at = now()"} {
		_, err := db.Exec(t.Context(), `INSERT INTO api_keys (id, name, secret_hash, scopes, created_by) VALUES ($1, $1, '', '{}', '')`, name)
		require.NoError(t, err)
		_, err = s.save(t.Context(), id(name[:1]), "key:"+name, nil, []byte(`{}`))
		require.NoError(t, err)
		_, err = db.Exec(t.Context(), `UPDATE api_keys SET `+column+` WHERE id = $1`, name)
		require.NoError(t, err)
	}
	_, err := s.save(t.Context(), id("o"), "subject:other", nil, []byte(`{}`))
	require.NoError(t, err)
	list, err := s.list(t.Context(), "", true)
	require.NoError(t, err)
	var owners []string
	for _, left := range list {
		owners = append(owners, left.Owner)
	}
	require.ElementsMatch(t, []string{"key:lives", "subject:other"}, owners)
}
