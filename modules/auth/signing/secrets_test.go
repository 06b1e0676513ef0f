package signing

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"telltale/config"
)

func TestSecrets_KeepTheKeyThatTheyMake(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new", "data")
	cfg := config.Auth{Algorithm: "HS512"}
	first := NewSecrets(cfg, dir, zap.NewNop())
	require.Empty(t, first.Key())
	require.NoError(t, first.Start(t.Context()))
	require.GreaterOrEqual(t, len(first.Key()), 64)
	second := NewSecrets(cfg, dir, zap.NewNop())
	require.NoError(t, second.Start(t.Context()))
	require.Equal(t, first.Key(), second.Key())
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 1)
	info, err := entries[0].Info()
	require.NoError(t, err)
	require.Equal(t, "jwt-secret", info.Name())
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	file := filepath.Join(dir, "jwt-secret")
	for _, content := range []string{"", "\n", strings.Repeat("x", 63)} {
		require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
		require.ErrorContains(t, NewSecrets(cfg, dir, zap.NewNop()).Start(t.Context()), "remove the file")
	}
}

func TestSecrets_ThatAreConfiguredOrNotNeededTouchNoFile(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "none")
	configured := NewSecrets(config.Auth{Algorithm: "HS256", SecretKey: "a-secret-of-the-tests"}, dir, zap.NewNop())
	require.NoError(t, configured.Start(t.Context()))
	require.Equal(t, "a-secret-of-the-tests", string(configured.Key()))
	foreign := NewSecrets(config.Auth{Algorithm: "RS256"}, dir, zap.NewNop())
	require.NoError(t, foreign.Start(t.Context()))
	require.Empty(t, foreign.Key())
	require.NoDirExists(t, dir)
}
