package httpserver_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"telltale/platform/fault"
	"telltale/platform/httpserver"
)

func TestWordsMayBeRepeatedOrListedWithCommas(t *testing.T) {
	t.Parallel()
	empty, tooMany := "must not be empty", "must be given at most 3 times, not 4"
	for name, c := range map[string]struct {
		values, words []string
		wrong         []string
	}{
		"absent":        {},
		"one":           {values: []string{"a"}, words: []string{"a"}},
		"repeated":      {values: []string{"b", "a"}, words: []string{"b", "a"}},
		"listed":        {values: []string{"b,a"}, words: []string{"b", "a"}},
		"both":          {values: []string{"c,b", "a"}, words: []string{"c", "b", "a"}},
		"more than one": {values: []string{"a,b,a", "b", "a"}, words: []string{"a", "b"}},
		"empty":         {values: []string{""}, wrong: []string{empty}},
		"empty between": {values: []string{"a,,b", ""}, words: []string{"a", "b"}, wrong: []string{empty, empty}},
		"too many":      {values: []string{"a,b", "c,d"}, words: []string{"a", "b", "c", "d"}, wrong: []string{tooMany}},
	} {
		var faults, wrong fault.Fields
		require.Equal(t, c.words, httpserver.Words(&faults, "word", c.values, 3), name)
		for _, reason := range c.wrong {
			wrong.Add("word", "%s", reason)
		}
		require.Equal(t, wrong, faults, name)
	}
}
