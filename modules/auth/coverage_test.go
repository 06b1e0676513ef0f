package auth

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPrincipal_SeesWhatItsPatternsMatch(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		devices []string
		device  string
		sees    bool
	}{
		{nil, "anything", true},
		{[]string{}, "anything", false},
		{[]string{"a", "b"}, "b", true},
		{[]string{"a", "b"}, "c", false},
		{[]string{"lab-*"}, "lab-", true},
		{[]string{"lab-*"}, "lab-7", true},
		{[]string{"lab-*"}, "Lab-7", false},
		{[]string{"lab-?"}, "lab-77", false},
		{[]string{"lab-?"}, "lab-ü", true},
		{[]string{"lab-[0-3]"}, "lab-2", true},
		{[]string{"lab-[^0-3]"}, "lab-2", false},
		{[]string{"[broken"}, "b", false},
		{[]string{"*"}, "a.b:c", true},
	} {
		require.Equal(t, test.sees, Principal{Devices: test.devices}.Sees(test.device), test)
	}
}

func TestCoverage_OfPatterns(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		wide, narrow []string
		covered      bool
	}{
		{nil, nil, true},
		{nil, []string{"*"}, true},
		{[]string{"*"}, nil, false},
		{[]string{"*"}, []string{"*", "a", "[a-b]"}, true},
		{[]string{}, []string{}, true},
		{[]string{}, []string{"a"}, false},
		{[]string{"lab-*"}, []string{"lab-1", "lab-1-*", "lab-?", "lab-*-x"}, true},
		{[]string{"lab-*"}, []string{"lab*"}, false},
		{[]string{"lab-?"}, []string{"lab-*"}, false},
		{[]string{"lab-?"}, []string{"lab-[ab]"}, false},
		{[]string{"lab-[ab]"}, []string{"lab-[ab]", "lab-a"}, true},
		{[]string{"lab-[ab]"}, []string{"lab-c"}, false},
		{[]string{"a*b*c"}, []string{"a*c"}, false},
		{[]string{"a*c"}, []string{"a*b*c", "ac", "a?c"}, true},
		{[]string{"?"}, []string{"*"}, false},
	} {
		require.Equal(t, test.covered, coversAll(test.wide, test.narrow), test)
	}
}
