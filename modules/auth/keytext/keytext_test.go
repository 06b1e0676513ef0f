package keytext

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParse_TakesApartWhatFormatPutTogether(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 1000 {
		id, secret := Generate()
		text := Format(id, secret)
		gotID, gotSecret, ok := Parse(text)
		require.True(t, ok, text)
		require.Equal(t, id, gotID)
		require.Equal(t, secret, gotSecret)
		require.False(t, seen[id] || seen[secret])
		seen[id], seen[secret] = true, true
		require.True(t, IsKey(text))
		require.True(t, IsID(id))
		require.NotEqual(t, Hash(id), Hash(secret))
	}
}
