package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/platform/fault"
)

// table stands for what the database says: a function to load from, and how often it was asked.
type table struct {
	rows   map[string]int
	err    error
	asked  int
	before func() // runs within a load
}

func (t *table) load(_ context.Context, name string) (int, bool, error) {
	t.asked++
	value, found := t.rows[name]
	if t.before != nil {
		t.before()
	}
	return value, found, t.err
}

func requireLookup(t *testing.T, l *lookups[int], name string, want int) {
	t.Helper()
	value, found, err := l.get(t.Context(), name)
	require.NoError(t, err)
	require.True(t, found)
	require.Equal(t, want, value)
}

func TestLookupsAskAgainAfterAWhile(t *testing.T) {
	t.Parallel()
	c, rows := newClock(), &table{rows: map[string]int{"a": 1}}
	l := newLookups(c.Now, rows.load)
	requireLookup(t, l, "a", 1)
	rows.rows["a"] = 2
	c.advance(l.ttl - 1)
	requireLookup(t, l, "a", 1)
	require.Equal(t, 1, rows.asked)
	c.advance(1)
	requireLookup(t, l, "a", 2)
	rows.rows["a"] = 3
	l.forget("a")
	requireLookup(t, l, "a", 3)
	delete(rows.rows, "a")
	c.advance(l.ttl)
	for range 2 {
		_, found, err := l.get(t.Context(), "a")
		require.NoError(t, err)
		require.False(t, found)
	}
	require.Empty(t, l.entries, "what does not exist takes no room")
	require.Equal(t, 5, rows.asked)
}

func TestLookupsOutliveTheDatabase(t *testing.T) {
	t.Parallel()
	c, rows := newClock(), &table{rows: map[string]int{"a": 1}}
	l := newLookups(c.Now, rows.load)
	requireLookup(t, l, "a", 1)
	rows.err = errors.New("no database")
	c.advance(l.ttl)
	requireLookup(t, l, "a", 1)
	requireLookup(t, l, "a", 1)
	require.Equal(t, 2, rows.asked, "nobody waits for a database that has just been found away")
	_, _, err := l.get(t.Context(), "b")
	require.Equal(t, fault.Unavailable, fault.KindOf(err))
	c.advance(l.grace)
	_, _, err = l.get(t.Context(), "a")
	require.Equal(t, fault.Unavailable, fault.KindOf(err))
	rows.err = nil
	requireLookup(t, l, "a", 1)
}

func TestAnAnswerFromBeforeAChangeIsNotKept(t *testing.T) {
	t.Parallel()
	c, rows := newClock(), &table{rows: map[string]int{"a": 1}}
	l := newLookups(c.Now, rows.load)
	rows.before = func() { rows.rows["a"] = 2; l.forget("a") }
	requireLookup(t, l, "a", 1)
	rows.before = nil
	requireLookup(t, l, "a", 2)
}

func TestOneAsksWhileOthersTakeAnAnswerThatHasJustAged(t *testing.T) {
	t.Parallel()
	c, rows := newClock(), &table{rows: map[string]int{"a": 1}}
	l := newLookups(c.Now, rows.load)
	requireLookup(t, l, "a", 1)
	c.advance(l.ttl)
	rows.rows["a"] = 2
	asked := 0
	rows.before = func() {
		if asked++; asked == 1 {
			requireLookup(t, l, "a", 1)
		}
	}
	requireLookup(t, l, "a", 2)
	require.Equal(t, 1, asked)

	c.advance(time.Hour / 2)
	rows.rows["a"], asked = 3, 0
	rows.before = func() {
		if asked++; asked == 1 {
			requireLookup(t, l, "a", 3) // an old answer is not good enough even then
		}
	}
	requireLookup(t, l, "a", 3)
	require.Equal(t, 2, asked)
}

func TestLookupsAreBounded(t *testing.T) {
	t.Parallel()
	rows := &table{rows: map[string]int{}}
	l := newLookups(newClock().Now, rows.load)
	l.limit = 10
	for n := range 30 {
		name := fmt.Sprint(n)
		rows.rows[name] = n
		requireLookup(t, l, name, n)
		requireLookup(t, l, name, n)
	}
	require.Len(t, l.entries, 10)
	require.Equal(t, 30, rows.asked)
	l.timeout = time.Millisecond
	for range cap(l.slots) {
		l.slots <- struct{}{}
	}
	requireLookup(t, l, "29", 29)
	_, _, err := l.get(t.Context(), "new")
	require.Equal(t, fault.Unavailable, fault.KindOf(err))
}

func TestADatabaseOutageLogsNobodyOut(t *testing.T) {
	t.Parallel()
	i := newInstance(t)
	token := i.token("admin", adminPassword)
	key, _ := i.createKey(NewKey{Name: "device", Scopes: []Scope{DevicesRead}})
	unseen, _ := i.createKey(NewKey{Name: "another", Scopes: []Scope{DevicesRead}})
	for _, credentials := range []string{token, key} {
		require.Equal(t, http.StatusOK, i.call("GET", "/api/things", "", bearer(credentials)).status)
	}
	require.NoError(t, i.db.Stop(t.Context()))
	i.clock.advance(time.Minute / 2)
	for _, credentials := range []string{token, key} {
		require.Equal(t, http.StatusOK, i.call("GET", "/api/things", "", bearer(credentials)).status)
	}
	a := i.call("GET", "/api/things", "", bearer(unseen))
	require.Equal(t, http.StatusServiceUnavailable, a.status, a.body)
	require.NotEmpty(t, a.header.Get("Retry-After"))
	require.Equal(t, http.StatusServiceUnavailable, i.login("admin", adminPassword).status)
}
