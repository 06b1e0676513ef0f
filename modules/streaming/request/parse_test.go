package request

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/modules/readings/bucket"
	"telltale/modules/streaming/event"
	"telltale/modules/streaming/filter"
	"telltale/platform/fault"
)

var noon = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

func TestParse_ReadsWhatIsAskedFor(t *testing.T) {
	t.Parallel()
	stamp := int64(1_793_523_600_000_042)
	for name, c := range map[string]struct {
		values Values
		header string
		want   Request
	}{
		"nothing": {Values{}, "", Request{}},
		"lists": {
			Values{"device": {"a,b-*"}, "metric": {"m", "n"}, "tag": {"y", "x", "y"}},
			"",
			Request{Selection: filter.Selection{Devices: []string{"a", "b-*"}, Metrics: []string{"m", "n"}, Tags: []string{"x", "y"}}},
		},
		"empty lists are none":           {Values{"device": {}, "metric": {}}, "", Request{Selection: filter.Selection{Devices: []string{}, Metrics: []string{}}}},
		"a saved filter":                 {Values{"filter": {"id"}}, "", Request{Filter: "id"}},
		"a snapshot":                     {Values{"snapshot": {"true"}}, "", Request{Snapshot: true}},
		"a pace":                         {Values{"every": {"5s"}}, "", Request{Every: 5 * time.Second}},
		"a choice for slow viewers":      {Values{"slow": {"coalesce"}}, "", Request{Slow: Coalesce}},
		"the header counts first":        {Values{"last_event_id": {"7:1"}, "since": {"3"}}, "9:0", Request{From: &event.Position{Stamp: 8, Next: 1}}},
		"then the parameter":             {Values{"last_event_id": {"7:1"}, "since": {"3"}}, "", Request{From: &event.Position{Stamp: 6, Next: 2}}},
		"then since":                     {Values{"since": {fmt.Sprint(stamp)}}, "", Request{From: &event.Position{Stamp: stamp}}},
		"a resumed stream, no snapshot":  {Values{"snapshot": {"true"}}, "9", Request{From: &event.Position{Stamp: 9}}},
		"since as Unix ms":               {Values{"since": {"1700000000000"}}, "", Request{Since: time.UnixMilli(1700000000000)}},
		"since as RFC 3339":              {Values{"since": {"2026-07-01T11:00:00Z"}}, "", Request{Since: time.UnixMilli(noon.Add(-time.Hour).UnixMilli())}},
		"since relative to now":          {Values{"since": {"-10m"}}, "", Request{Since: time.UnixMilli(noon.Add(-10 * time.Minute).UnixMilli())}},
		"a position that cannot be read": {Values{"last_event_id": {"yesterday"}}, "", Request{Lost: true}},
		"an id of buckets for readings":  {Values{"last_event_id": {"7@60000"}}, "", Request{From: &event.Position{Stamp: 7}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := Parse(c.values, c.header, noon)
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
}

func TestParse_ReadsBuckets(t *testing.T) {
	t.Parallel()
	r, err := Parse(Values{"interval": {"1h"}, "agg": {"min", "max"}, "tz": {"Europe/Berlin"}}, "7@60000", noon)
	require.NoError(t, err)
	require.Equal(t, "1h", r.Buckets.Interval.String())
	require.Equal(t, []bucket.Aggregate{"min", "max"}, r.Buckets.Aggregates)
	require.Equal(t, "Europe/Berlin", r.Buckets.Zone.String())
	require.Equal(t, &event.Position{Stamp: 7, Until: 60000}, r.From)
}

func TestParse_NamesEverythingThatIsWrong(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		values Values
		want   []string // "parameter: part of the message"
	}{
		"several":                   {Values{"every": {"1ms"}, "slow": {"x"}}, []string{"every: from \"1s\"", "slow: "}},
		"an unknown parameter":      {Values{"devise": {"a"}}, []string{"devise: "}},
		"a pace and slow":           {Values{"every": {"1s"}, "slow": {"gap"}}, []string{"slow: no meaning with every"}},
		"a pace beyond an hour":     {Values{"every": {"2h"}}, []string{"every: "}},
		"buckets and a pace":        {Values{"interval": {"1m"}, "every": {"1s"}}, []string{"every: interval"}},
		"buckets and slow":          {Values{"interval": {"1m"}, "slow": {"gap"}}, []string{"slow: interval"}},
		"no interval":               {Values{"interval": {"often"}}, []string{"interval: not \"often\""}},
		"snapshot and since":        {Values{"snapshot": {"true"}, "since": {"-1h"}}, []string{"snapshot: since"}},
		"a filter and lists":        {Values{"filter": {"x"}, "device": {"a"}, "tag": {"t"}}, []string{"device: filter", "tag: filter"}},
		"since that is no position": {Values{"since": {"soon"}}, []string{"since: not \"soon\""}},
		"a broken pattern":          {Values{"device": {"[a"}}, []string{"device: [a"}},
		"a tag with a comma":        {Values{"tag": {"a,b"}}, []string{"tag: repeat tag"}},
		"too many tags":             {Values{"tag": numbered(maxTags + 1)}, []string{"tag: at most 50 times, not 51"}},
		"too many patterns":         {Values{"device": numbered(maxPatterns+1, "*")}, []string{"device: at most 100 patterns, not 101"}},
		"too many devices":          {Values{"device": numbered(maxWords + 1)}, []string{"device: "}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse(c.values, "", noon)
			f := fault.As(err)
			require.NotNil(t, f)
			require.Equal(t, fault.Invalid, f.Kind)
			for _, want := range c.want {
				field, part, _ := strings.Cut(want, ": ")
				require.True(t, slices.ContainsFunc(f.Fields, func(found fault.Field) bool {
					return found.Name == field && strings.Contains(found.Reason, part)
				}), "%s is not in %v", want, f.Fields)
			}
			require.Len(t, f.Fields, len(c.want), "%v", f.Fields)
		})
	}
}

// numbered returns n words, each with its number and an end.
func numbered(n int, end ...string) (words []string) {
	for i := range n {
		words = append(words, fmt.Sprint("w", i, strings.Join(end, "")))
	}
	return words
}

func TestParseSelection_ReadsListsAndNothingElse(t *testing.T) {
	t.Parallel()
	s, err := ParseSelection(Values{"device": {"a"}, "tag": {"t"}})
	require.NoError(t, err)
	require.Equal(t, filter.Selection{Devices: []string{"a"}, Tags: []string{"t"}}, s)
	for _, values := range []Values{{"since": {"1"}}, {"device": {"a\x00"}}, {"metric": {"m\x00"}}, {"tag": {"t\x00"}}, {"device": {"[a"}}} {
		_, err := ParseSelection(values)
		require.Equal(t, fault.Invalid, fault.KindOf(err), "%v", values)
	}
}

func TestFromQuery_ForgivesWhatStandInsPutIntoURLs(t *testing.T) {
	t.Parallel()
	got := FromQuery(Values{
		"device": {"a"}, "lastEventId": {"1:0"}, "_": {"1700000000000"}, "CORS": {"true"}, "evs_preamble": {""}, "unknown": {"x"},
	})
	require.Equal(t, Values{"device": {"a"}, "last_event_id": {"1:0"}, "unknown": {"x"}}, got)
	for _, name := range []string{"last_event_id", "Last-Event-ID", "lastEventID", "evs_last_event_id", "evs-last-event-id"} {
		require.Equal(t, Values{"last_event_id": {"7"}}, FromQuery(Values{name: {"7"}}), name)
	}
	ids := FromQuery(Values{"last_event_id": {"1"}, "lastEventId": {"2", "3"}})["last_event_id"]
	require.ElementsMatch(t, []string{"1", "2", "3"}, ids)
}

func TestResume_TakesTheNewestPlaceThatCanBeRead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		header string
		ids    []string
		want   string // a position, or "" for none
		lost   bool
	}{
		"nothing":                            {"", nil, "", false},
		"an EventSource without events":      {"  ", []string{"", " "}, "", false},
		"the header before parameters":       {"5:0", []string{"9:0"}, "5:0", false},
		"the newest of parameters":           {"", []string{"5:0", "9:1", "9:0"}, "9:1", false},
		"spaces around it":                   {" 5:0 ", nil, "5:0", false},
		"one that cannot be read":            {"", []string{"x"}, "", true},
		"one of two can be read":             {"", []string{"x", "5:0"}, "5:0", false},
		"a header that cannot be read":       {"x", []string{"5:0"}, "", true},
		"a newer position within its bucket": {"", []string{"5@60000", "5@120000"}, "5@120000", false},
	} {
		from, lost := resume(c.header, c.ids)
		require.Equal(t, c.lost, lost, name)
		if c.want == "" {
			require.Nil(t, from, name)
			continue
		}
		require.Equal(t, c.want, from.String(), name)
	}
}

func TestTextsOf_TakesWhatJSONHasForParameters(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		value any
		want  []string
		ok    bool
	}{
		{"a", []string{"a"}, true},
		{true, []string{"true"}, true},
		{1793523600000042.0, []string{"1793523600000042"}, true},
		{-1.0, []string{"-1"}, true},
		{[]any{"a", "b"}, []string{"a", "b"}, true},
		{[]any{}, nil, true},
		{1.5, nil, false},
		{float64(1 << 54), nil, false},
		{nil, nil, false},
		{[]any{"a", 1.0}, nil, false},
		{map[string]any{}, nil, false},
	} {
		got, ok := textsOf(c.value)
		require.Equal(t, c.ok, ok, "%v", c.value)
		require.Equal(t, c.want, got, "%v", c.value)
	}
}
