package access

import (
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"telltale/platform/fault"
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

func TestVisible_SkipsWhatIsHiddenAndSaysWhetherMoreFollows(t *testing.T) {
	t.Parallel()
	devices := map[string][]string{"a": {"lab-1"}, "b": {"attic"}, "c": {"lab-2"}, "d": nil, "e": {"lab-3", "attic"}, "f": {}}
	page := func(after string, limit int) (keys []string, err error) {
		for _, key := range slices.Sorted(maps.Keys(devices)) {
			if key > after && len(keys) < limit {
				keys = append(keys, key)
			}
		}
		return keys, nil
	}
	of := func(key string) (string, []string) { return key, devices[key] }
	lab := Principal{Devices: []string{"lab-*"}}
	for _, test := range []struct {
		by    Principal
		after string
		limit int
		seen  []string
		more  bool
	}{
		{Principal{}, "", 10, []string{"a", "b", "c", "d", "e", "f"}, false},
		{Principal{}, "b", 2, []string{"c", "d"}, true},
		{lab, "", 10, []string{"a", "c", "f"}, false},
		{lab, "", 2, []string{"a", "c"}, true},
		{lab, "c", 2, []string{"f"}, false},
	} {
		seen, more, err := Visible(test.by, test.after, test.limit, page, of)
		require.NoError(t, err)
		require.Equal(t, test.seen, seen)
		require.Equal(t, test.more, more)
	}
	_, _, err := Visible(lab, "", 1, func(string, int) ([]string, error) { return nil, errors.New("away") }, of)
	require.ErrorContains(t, err, "away")
}

func TestPrincipal_GrantsNoDevicesBeyondItsOwn(t *testing.T) {
	t.Parallel()
	lab := Principal{Devices: []string{"lab-*"}}
	require.NoError(t, lab.CheckGrant([]string{"lab-1", "lab-2-*"}))
	require.Equal(t, fault.Forbidden, fault.KindOf(lab.CheckGrant([]string{"lab-1", "attic"})))
	require.Equal(t, fault.Forbidden, fault.KindOf(lab.CheckGrant(nil)))
	require.NoError(t, Principal{}.CheckGrant(nil))
}

func TestGrant_FaultsNameTheirFields(t *testing.T) {
	t.Parallel()
	reasons := func(scopes []Scope, devices []string) (names []string) {
		var wrong fault.Fields
		GrantFaults(&wrong, scopes, devices)
		if f := fault.As(wrong.Err()); f != nil {
			for _, field := range f.Fields {
				names = append(names, field.Name)
			}
		}
		return names
	}
	require.Empty(t, reasons(nil, nil))
	require.Empty(t, reasons([]Scope{DevicesRead, DevicesRead}, []string{"lab-*", "attic"}))
	require.Equal(t, []string{"scopes", "devices[0]", "devices[2]"}, reasons([]Scope{"root"}, []string{"[a", "ok", ""}))
	require.Equal(t, []string{"devices"}, reasons(nil, make([]string, MaxPatterns+1)))
}
