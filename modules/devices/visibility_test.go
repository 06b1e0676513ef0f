package devices

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"telltale/modules/auth/access"
)

// alphabet has what ids are made of, with LIKE's metacharacters, and letters of several lengths in UTF-8.
var alphabet = []rune("ab-_%é温.")

// pieces are parts of patterns, some of them malformed or impossible in a stored id.
var pieces = []string{
	"a", "b", "-", "_", "%", "é", "温", ".", "*", "*", "?", "[ab]", "[a-c]", "[^a]", "[é-温]", "[\x01-é]", `\a`, `\*`, `\_`,
	`[\]a]`, `[\-a]`, "[", "]", "[]", "[a", "[a-]", `\`, "/", "\x00", "\xff", "\xc3", "\xa9", "[\x00-z]",
}

func randomID(random *rand.Rand) string {
	id := make([]rune, 1+random.IntN(4))
	for i := range id {
		id[i] = alphabet[random.IntN(len(alphabet))]
	}
	return string(id)
}

func randomPattern(random *rand.Rand) (pattern string) {
	for range 1 + random.IntN(4) {
		pattern += pieces[random.IntN(len(pieces))]
	}
	return pattern
}

// The database knows nothing of patterns: what it is asked for must still be exactly what Principal.Sees lets through.
func TestList_HoldsExactlyWhatThePrincipalSees(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	random := rand.New(rand.NewPCG(1, 2))
	ids := map[string]bool{"a": true, "a%b": true, "a_b": true, "aéb": true, "温室-1": true, "x温": true}
	for range 300 {
		if id := randomID(random); ValidateID(id) == nil {
			ids[id] = true
		}
	}
	for id := range ids {
		f.create(t, id)
	}
	patterns := [][]string{
		nil,
		{},
		{"a"},
		{"a", "a"},
		{"*"},
		{"a*"},
		{"*b"},
		{"?"},
		{"a?b"},
		{"a%b"},
		{"a_b"},
		{"[a-b]*"},
		{"[^a]*"},
		{"*\xa9*"},
		{"*?\xa9b"},
		{"[\x00-b]"},
		{"a", "["},
		{`\a`},
		{`a\_b`},
		{"a", "x*", "nobody"},
		{"\x00"},
		{"\xff"},
		{"温*", "*温"},
	}
	for range 400 {
		var list []string
		for range 1 + random.IntN(3) {
			list = append(list, randomPattern(random))
		}
		patterns = append(patterns, list)
	}
	for _, list := range patterns {
		p := access.Principal{Scopes: []access.Scope{access.DevicesRead}, Devices: list}
		page, err := f.service.List(t.Context(), p, Query{Limit: 1000})
		require.NoError(t, err, "%q", list)
		listed := map[string]bool{}
		for _, device := range page.Devices {
			listed[device.ID] = true
		}
		for id := range ids {
			require.Equal(t, p.Sees(id), listed[id], "device %q, patterns %q", id, list)
		}
	}
}
