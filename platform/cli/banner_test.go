package cli

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"telltale/config"
)

func TestBanner_SaysWhereTelltaleServes(t *testing.T) {
	t.Parallel()
	var here, everywhere strings.Builder
	require.NoError(t, Banner(&here, config.HTTP{Host: "127.0.0.1", Port: 8000}))
	require.Contains(t, here.String(), "serves on http://127.0.0.1:8000\n")
	require.Contains(t, here.String(), " http://127.0.0.1:8000/\n")
	require.Contains(t, here.String(), " http://127.0.0.1:8000/api/docs\n")
	require.NoError(t, Banner(&everywhere, config.HTTP{Host: "0.0.0.0", Port: 80}))
	require.Contains(t, everywhere.String(), "serves on http://127.0.0.1:80 and beyond this machine (0.0.0.0:80)\n")
}

func TestBanner_CredentialsComeWithALineToTry(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	cfg := config.Config{HTTP: config.HTTP{Host: "127.0.0.1", Port: 8000}, DataDir: "./data"}
	require.NoError(t, Credentials(&out, cfg, "admin", "s3cret"))
	require.Contains(t, out.String(), "password    s3cret\n")
	require.Contains(t, out.String(), "curl -s http://127.0.0.1:8000/api/auth/token -d username=admin -d password=s3cret ")
	require.Contains(t, out.String(), "kept in ./data/admin-password:\n")
}
