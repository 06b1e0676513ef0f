package glob

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

var patterns = []string{
	"*", "**", "?", "a", "a*", "*a", "*a*", "a*b", "a?c", "??", "*?", "?*", "a*b*c", "*a*b*", "*aa*aab", "[a-c]", "[^a-c]*", "*[0-9]", `[a\-]`,
	`\*`, `a\?b`, `[\]a]*`, `*\[*`, "ä*", "*ö", "?ä?", "[α-ω]*", "*[^ä]", strings.Repeat("?", 128), strings.Repeat("*a", 64),
	strings.Repeat("?", 64) + "*", "*" + strings.Repeat("a", 127), strings.Repeat("[ab]", 32), "a**b", "*a?b*", "*?a?*", "",
}

var names = []string{
	"", "a", "b", "ab", "abc", "aab", "aaab", "aaaab", "axc", "a?b", "a*b", "*", "[", "]x", "ä", "äö", "xäx", "ω9", "9", "-", "abcabcabc", "a-b-c",
	strings.Repeat("a", 128), strings.Repeat("a", 127), strings.Repeat("ab", 64), strings.Repeat("a", 64), strings.Repeat("ä", 64),
}

// naive tries everything.
func naive(tokens []token, name []rune) bool {
	switch {
	case len(tokens) == 0:
		return len(name) == 0
	case tokens[0].star:
		return naive(tokens[1:], name) || len(name) > 0 && naive(tokens, name[1:])
	}
	return len(name) > 0 && tokens[0].admits(name[0]) && naive(tokens[1:], name[1:])
}

// agree compares with path.Match, by which the syntax is defined. It takes stars byte by byte, so that outside of ASCII
// (`*[^ä]` matches "ä") the comparison is with a matcher of characters.
func agree(t *testing.T, pattern, name string) {
	t.Helper()
	wanted, err := path.Match(pattern, name)
	require.NoError(t, err)
	if len(name) != utf8.RuneCountInString(name) {
		if strings.Count(pattern, "*") > 3 {
			return // too many ways to try
		}
		wanted = naive(parse(pattern), []rune(name))
	}
	require.Equal(t, wanted, Compile(pattern).Match(name), "%q %q", pattern, name)
	if Is(pattern) {
		require.Equal(t, wanted || pattern == name, NewSet([]string{"other", pattern}).Has(name), "%q %q", pattern, name)
	}
	if wanted {
		require.True(t, strings.HasPrefix(name, Compile(pattern).Prefix()))
	}
}

func TestGlob_AgreesWithPathMatch(t *testing.T) {
	t.Parallel()
	for _, pattern := range patterns {
		for _, name := range slices.Concat(names, patterns) {
			agree(t, pattern, name)
		}
	}
}

func FuzzGlob_AgreesWithPathMatch(f *testing.F) {
	for i, pattern := range patterns {
		f.Add(pattern, names[i%len(names)])
	}
	f.Fuzz(func(t *testing.T, pattern, name string) {
		if strings.Contains(pattern+name, "/") || !utf8.ValidString(name) {
			return
		}
		if Check(pattern) != nil {
			require.False(t, Compile(pattern).Match(name))
			return
		}
		agree(t, pattern, name)
	})
}

func TestGlob_RefusesWhatIsNone(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"[", "a[", "[]", "[a-", `a\`, "[^]", "a*[", strings.Repeat("*", 129), "\xff*"} {
		require.Error(t, Check(text), text)
		require.False(t, Compile(text).Match("a"), text)
		require.False(t, NewSet([]string{text}).Has("a"), text)
		require.True(t, NewSet([]string{text}).Has(text), text)
	}
}

func TestSet_HasNamesAndWhatPatternsMatch(t *testing.T) {
	t.Parallel()
	set := NewSet([]string{"lab-*", "lab-1*", "site/x", "*-kitchen", "roof", "roof-?"})
	for name, wanted := range map[string]bool{
		"lab-": true, "lab-7": true, "lab": false, "a-kitchen": true, "kitchen": false, "roof": true, "roof-1": true, "roof-12": false, "": false,
	} {
		require.Equal(t, wanted, set.Has(name), name)
	}
	require.Equal(t, []string{""}, set.Prefixes())
	require.Equal(t, []string{"lab-", "roof-"}, NewSet([]string{"roof-?", "lab-*", "lab-1*", "roof-[12]*", "name"}).Prefixes())
	require.True(t, (*Set)(nil).Has("anything"))
	require.False(t, NewSet(nil).Has("anything"))
}

// BenchmarkGlob_Match compares with path.Match on ids that nearly match.
func BenchmarkGlob_Match(b *testing.B) {
	stars := strings.Repeat("*e", 24) + "x"
	for _, c := range []struct{ name, pattern, id string }{
		{"prefix", "lab-*", "lab-greenhouse-0000042"},
		{"suffix", "*-kitchen", "lab-greenhouse-0000042"},
		{"24-stars", stars, "greenhouse-electric-meter-0042"},
		{"24-stars-long", stars, strings.Repeat("e", 128)},
		{"questions", "*" + strings.Repeat("?e", 40) + "x*", strings.Repeat("e", 128)},
	} {
		for name, match := range map[string]func() bool{
			"glob": func() func() bool { p := Compile(c.pattern); return func() bool { return p.Match(c.id) } }(),
			"path": func() bool { matched, _ := path.Match(c.pattern, c.id); return matched },
		} {
			b.Run(fmt.Sprintf("%s/%s", c.name, name), func(b *testing.B) {
				for b.Loop() {
					match()
				}
			})
		}
	}
}
