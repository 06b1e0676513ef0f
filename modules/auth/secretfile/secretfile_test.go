package secretfile

import (
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestKeep_ReturnsTheSameSecretToAllWhoMakeItAtOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "secret")
	texts := make([]string, 8)
	var all sync.WaitGroup
	made := make([]bool, len(texts))
	for n := range texts {
		all.Go(func() {
			var err error
			texts[n], made[n], err = Keep(path, 16)
			require.NoError(t, err)
		})
	}
	all.Wait()
	winners := 0
	for n, text := range texts {
		require.Equal(t, texts[0], text)
		if made[n] {
			winners++
		}
	}
	require.Equal(t, 1, winners)
}
