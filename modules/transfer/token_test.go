package transfer

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestToken_ComesFromAFileAsEditorsWriteIt(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]string{
		"tt_key": "tt_key", "tt_key\r\n": "tt_key", "\ufefftt_key\n": "tt_key", "\ufeff": "", "": "", "\xff\xfet\x00t\x00": "",
	} {
		file := filepath.Join(t.TempDir(), "token")
		require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
		token, err := Token(func(name string) string { return map[string]string{"TELLTALE_TOKEN_FILE": file}[name] })
		require.Equal(t, want, token)
		require.Equal(t, want == "", err != nil)
	}
}
