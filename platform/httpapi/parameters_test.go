package httpapi_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/platform/fault"
	"telltale/platform/httpapi"
)

// several are parameters of every kind.
var several = httpapi.Parameters{}.Repeatable("word").Once("number", "flag", "mode", "pace", "text")

type mode string

// asked returns what the parameters are read as.
func asked(q *httpapi.Query) []any {
	pace := httpapi.Parsed(q, "pace", time.Second, func(text string) (time.Duration, error) {
		pace, err := time.ParseDuration(text)
		if err != nil {
			err = errors.New("must be a duration")
		}
		return pace, err
	})
	return []any{
		q.Words("word", 3), q.Number("number", 5, 1, 10), q.Flag("flag"),
		httpapi.OneOf(q, "mode", mode("slow"), "slow", "fast", "still"), pace, q.First("text"),
	}
}

func TestQuery_ReadsEveryKindOfParameter(t *testing.T) {
	t.Parallel()
	q := several.Of(nil)
	require.Equal(t, []any{[]string(nil), 5, false, mode("slow"), time.Second, ""}, asked(q))
	require.NoError(t, q.Err())
	q = several.Of(map[string][]string{
		"word": {"a,b", "a"}, "number": {"10"}, "flag": {"true"}, "mode": {"fast"}, "pace": {"1m"}, "text": {""},
	})
	require.Equal(t, []any{[]string{"a", "b"}, 10, true, mode("fast"), time.Minute, ""}, asked(q))
	require.NoError(t, q.Err())
	require.True(t, q.Has("text"))
}

func TestQuery_NotesEveryFaultAtOnce(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		values map[string][]string
		faults []fault.Field
	}{
		"unknown": {map[string][]string{"wort": {"a"}, "flags": {"true"}}, []fault.Field{
			{Name: "flags", Reason: "is not a parameter of this call; it knows word, number, flag, mode, pace, text"},
			{Name: "wort", Reason: "is not a parameter of this call; it knows word, number, flag, mode, pace, text"},
		}},
		"repeated": {map[string][]string{"number": {"1", "2"}, "flag": {"true", "true"}}, []fault.Field{
			{Name: "flag", Reason: "must not be given more than once"}, {Name: "number", Reason: "must not be given more than once"},
		}},
		"empty": {map[string][]string{"number": {""}, "flag": {}, "mode": {""}, "pace": {""}, "word": {"a,"}}, []fault.Field{
			{Name: "flag", Reason: "must not be empty"},
			{Name: "mode", Reason: "must not be empty"},
			{Name: "number", Reason: "must not be empty"},
			{Name: "pace", Reason: "must not be empty"},
			{Name: "word", Reason: "must not be empty"},
		}},
		"out of range": {map[string][]string{"word": {"a,b", "c", "d"}, "number": {"11"}}, []fault.Field{
			{Name: "number", Reason: `must be a number from 1 to 10, not "11"`}, {Name: "word", Reason: "must be given at most 3 times, not 4"},
		}},
		"malformed": {map[string][]string{"number": {"ten"}, "flag": {"yes"}, "mode": {"quick"}, "pace": {"soon"}}, []fault.Field{
			{Name: "flag", Reason: `must be true or false, not "yes"`},
			{Name: "mode", Reason: `must be slow, fast or still, not "quick"`},
			{Name: "number", Reason: `must be a number from 1 to 10, not "ten"`},
			{Name: "pace", Reason: `must be a duration, not "soon"`},
		}},
	} {
		q := several.Of(test.values)
		asked(q)
		err := q.Err()
		require.Equal(t, fault.Invalid, fault.KindOf(err), name)
		require.Equal(t, test.faults, fault.As(err).Fields, name)
	}
	require.Equal(t, []fault.Field{{Name: "a", Reason: "is not a parameter of this call, which has none"}},
		fault.As(httpapi.Parameters{}.Of(map[string][]string{"a": {"1"}}).Err()).Fields)
}

func TestQuery_OfACallHasOnlyItsOwnParameters(t *testing.T) {
	t.Parallel()
	require.Panics(t, func() { several.Of(nil).Text("wort") })
	require.Equal(t, []string{"word", "number", "flag", "mode", "pace", "text"}, several.Names())
}

func TestQuery_Words_MayBeRepeatedOrListedWithCommas(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ values, words []string }{
		"absent":        {},
		"one":           {values: []string{"a"}, words: []string{"a"}},
		"repeated":      {values: []string{"b", "a"}, words: []string{"b", "a"}},
		"listed":        {values: []string{"b,a"}, words: []string{"b", "a"}},
		"both":          {values: []string{"c,b", "a"}, words: []string{"c", "b", "a"}},
		"more than one": {values: []string{"a,b,a", "b", "a"}, words: []string{"a", "b"}},
	} {
		q := several.Of(map[string][]string{"word": c.values})
		require.Equal(t, c.words, q.Words("word", 3), name)
		require.NoError(t, q.Err(), name)
	}
}
