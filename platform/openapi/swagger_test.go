package openapi

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSwaggerFilesAreTheOriginals(t *testing.T) {
	t.Parallel()
	sums, err := os.ReadFile("swaggerfiles/SHA256SUMS")
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(sums)), "\n")
	for _, line := range lines {
		sum, name, _ := strings.Cut(line, "  ")
		content, err := os.ReadFile(filepath.Join("swaggerfiles", name))
		require.NoError(t, err)
		require.Equal(t, sum, fmt.Sprintf("%x", sha256.Sum256(content)), name)
	}
	copied, err := filepath.Glob("swaggerfiles/dist/*")
	require.NoError(t, err)
	require.Len(t, lines, len(copied)+1, "every copied file is listed, and files.go")
}
