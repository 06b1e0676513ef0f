package glob

import (
	"math/rand/v2"
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever a covered pattern matches the covering one must match: that is what keeps a limited administrator limited.
func TestSubsumes_NeverCoversMoreThanIsMatched(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	text := func(letters string, most int) string {
		var b strings.Builder
		for range random.IntN(most + 1) {
			b.WriteByte(letters[random.IntN(len(letters))])
		}
		return b.String()
	}
	covered := 0
	for range 20_000 {
		wide, narrow := text("ab*?", 5), text("ab*?", 5)
		if !Subsumes(wide, narrow) {
			continue
		}
		covered++
		for range 20 {
			device := text("ab", 6)
			if in, _ := path.Match(narrow, device); in {
				out, _ := path.Match(wide, device)
				require.True(t, out, "%q covers %q but does not match %q", wide, narrow, device)
			}
		}
	}
	require.Greater(t, covered, 1000)
}
