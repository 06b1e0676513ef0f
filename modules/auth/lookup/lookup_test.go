package lookup

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/modules/auth/clocktest"
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

func requireLookup(t *testing.T, l *Cache[int], name string, want int) {
	t.Helper()
	value, found, err := l.Get(t.Context(), name)
	require.NoError(t, err)
	require.True(t, found)
	require.Equal(t, want, value)
}

func TestCache_LookupsAskAgainAfterAWhile(t *testing.T) {
	t.Parallel()
	c, rows := clocktest.New(), &table{rows: map[string]int{"a": 1}}
	l := New(c.Now, rows.load)
	requireLookup(t, l, "a", 1)
	rows.rows["a"] = 2
	c.Advance(l.ttl - 1)
	requireLookup(t, l, "a", 1)
	require.Equal(t, 1, rows.asked)
	c.Advance(1)
	requireLookup(t, l, "a", 2)
	rows.rows["a"] = 3
	l.Forget("a")
	requireLookup(t, l, "a", 3)
	delete(rows.rows, "a")
	c.Advance(l.ttl)
	for range 2 {
		_, found, err := l.Get(t.Context(), "a")
		require.NoError(t, err)
		require.False(t, found)
	}
	require.Empty(t, l.entries, "what does not exist takes no room")
	require.Equal(t, 5, rows.asked)
}

func TestCache_LookupsOutliveTheDatabase(t *testing.T) {
	t.Parallel()
	c, rows := clocktest.New(), &table{rows: map[string]int{"a": 1}}
	l := New(c.Now, rows.load)
	requireLookup(t, l, "a", 1)
	rows.err = errors.New("no database")
	c.Advance(l.ttl)
	requireLookup(t, l, "a", 1)
	requireLookup(t, l, "a", 1)
	require.Equal(t, 2, rows.asked, "no lookup waits for a database that has just been found unreachable")
	_, _, err := l.Get(t.Context(), "b")
	require.Equal(t, fault.Unavailable, fault.KindOf(err))
	c.Advance(l.grace)
	_, _, err = l.Get(t.Context(), "a")
	require.Equal(t, fault.Unavailable, fault.KindOf(err))
	rows.err = nil
	requireLookup(t, l, "a", 1)
}

func TestCache_AnAnswerFromBeforeAChangeIsNotKept(t *testing.T) {
	t.Parallel()
	c, rows := clocktest.New(), &table{rows: map[string]int{"a": 1}}
	l := New(c.Now, rows.load)
	rows.before = func() { rows.rows["a"] = 2; l.Forget("a") }
	requireLookup(t, l, "a", 1)
	rows.before = nil
	requireLookup(t, l, "a", 2)
}

func TestCache_OneAsksWhileOthersTakeAnAnswerThatHasJustAged(t *testing.T) {
	t.Parallel()
	c, rows := clocktest.New(), &table{rows: map[string]int{"a": 1}}
	l := New(c.Now, rows.load)
	requireLookup(t, l, "a", 1)
	c.Advance(l.ttl)
	rows.rows["a"] = 2
	asked := 0
	rows.before = func() {
		if asked++; asked == 1 {
			requireLookup(t, l, "a", 1)
		}
	}
	requireLookup(t, l, "a", 2)
	require.Equal(t, 1, asked)

	c.Advance(time.Hour / 2)
	rows.rows["a"], asked = 3, 0
	rows.before = func() {
		if asked++; asked == 1 {
			requireLookup(t, l, "a", 3) // an old answer is not good enough even then
		}
	}
	requireLookup(t, l, "a", 3)
	require.Equal(t, 2, asked)
}

func TestCache_LookupsAreBounded(t *testing.T) {
	t.Parallel()
	rows := &table{rows: map[string]int{}}
	l := New(clocktest.New().Now, rows.load)
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
	for range cap(l.permits) {
		l.permits <- struct{}{}
	}
	requireLookup(t, l, "29", 29)
	_, _, err := l.Get(t.Context(), "new")
	require.Equal(t, fault.Unavailable, fault.KindOf(err))
}
