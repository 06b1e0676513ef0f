package admission

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"telltale/modules/auth/access"
	"telltale/platform/fault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// empty reports whether the limits know no stream.
func (t *Limits) empty() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.users)+len(t.addresses) == 0
}

func TestLimits_AreOfEachUserAndOfEachAddress(t *testing.T) {
	t.Parallel()
	anna, bob, key := access.Principal{Subject: "anna"}, access.Principal{Subject: "bob"}, access.Principal{Subject: "anna", KeyID: "k"}
	type stream struct {
		who     access.Principal
		address string
	}
	for name, c := range map[string]struct {
		perUser, perAddress int
		open                []stream
		next                stream
		refused             string // the setting that refuses the next stream, "" for none
	}{
		"the first":                    {1, 1, nil, stream{anna, "1.1.1.1"}, ""},
		"no limits":                    {0, 0, []stream{{anna, "1.1.1.1"}, {anna, "1.1.1.1"}}, stream{anna, "1.1.1.1"}, ""},
		"one too many of a user":       {2, 0, []stream{{anna, "1.1.1.1"}, {anna, "2.2.2.2"}}, stream{anna, "3.3.3.3"}, "STREAM_MAX_PER_USER"},
		"one too many from an address": {0, 2, []stream{{anna, "1.1.1.1"}, {bob, "1.1.1.1"}}, stream{key, "1.1.1.1"}, "STREAM_MAX_PER_ADDRESS"},
		"another user":                 {1, 0, []stream{{anna, "1.1.1.1"}}, stream{bob, "1.1.1.1"}, ""},
		"a key with a user's name":     {1, 0, []stream{{anna, "1.1.1.1"}}, stream{key, "1.1.1.1"}, ""},
		"another address":              {0, 1, []stream{{anna, "1.1.1.1"}}, stream{anna, "2.2.2.2"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := New(c.perUser, c.perAddress)
			var open []*Ticket
			for _, s := range c.open {
				ticket, err := l.Admit(s.who, s.address)
				require.NoError(t, err)
				require.True(t, ticket.Claim())
				open = append(open, ticket)
			}
			ticket, err := l.Admit(c.next.who, c.next.address)
			if c.refused != "" {
				f := fault.As(err)
				require.Equal(t, fault.TooManyRequests, f.Kind)
				require.Contains(t, f.Message, c.refused)
				require.Positive(t, f.RetryAfter)
				open[0].Release()
				open[0].Release() // once is enough
				ticket, err = l.Admit(c.next.who, c.next.address)
			}
			require.NoError(t, err)
			for _, other := range append(open, ticket) {
				other.Release()
			}
			require.True(t, l.empty(), "nothing is kept of those who have left")
		})
	}
}

func TestTicket_ThatIsNotClaimedIsGivenBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := New(2, 0)
		claimed, err := l.Admit(access.Principal{Subject: "anna"}, "")
		require.NoError(t, err)
		forgotten, err := l.Admit(access.Principal{Subject: "anna"}, "")
		require.NoError(t, err)
		ended := 0
		forgotten.Finally(func() { ended++ })
		require.True(t, claimed.Claim())
		time.Sleep(claimTimeout + time.Second)
		synctest.Wait() // until the timer's goroutine has ended
		require.Equal(t, 1, ended)
		require.False(t, forgotten.Claim(), "its viewer comes too late")
		_, err = l.Admit(access.Principal{Subject: "anna"}, "")
		require.NoError(t, err, "the claimed one is still there, the other is not")
		_, err = l.Admit(access.Principal{Subject: "anna"}, "")
		require.Error(t, err)
		forgotten.Release()
		require.Equal(t, 1, ended)
		time.Sleep(claimTimeout + time.Second) // the last one expires too
	})
}

func TestTicket_GivesBackWhatIsTiedToItHoweverManyRelease(t *testing.T) {
	t.Parallel()
	l := New(0, 0)
	ticket, err := l.Admit(access.Principal{}, "")
	require.NoError(t, err)
	var order []int
	for i := range 3 {
		ticket.Finally(func() { order = append(order, i) })
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(ticket.Release)
	}
	all.Wait()
	require.Equal(t, []int{0, 1, 2}, order)
}

func TestTicket_ChargesLongListsOnly(t *testing.T) {
	t.Parallel()
	l := New(0, 0)
	admit := func() *Ticket {
		ticket, err := l.Admit(access.Principal{}, "")
		require.NoError(t, err)
		t.Cleanup(ticket.Release)
		return ticket
	}
	large := slices.Repeat([]string{strings.Repeat("x", listBytes/shortList)}, shortList+1)
	first := admit()
	require.NoError(t, first.ChargeLists(large), "one user always fits")
	short := large[:shortList]
	require.NoError(t, admit().ChargeLists(short[:8], short[8:]), "short lists are free, however long their words")
	err := admit().ChargeLists(short, []string{"x"})
	require.Equal(t, fault.Unavailable, fault.KindOf(err), "lists count together")
	first.Release()
	require.NoError(t, admit().ChargeLists(large), "the bytes have come back")
}
