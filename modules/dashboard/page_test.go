package dashboard_test

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"telltale/modules/auth/authtest"
	"telltale/modules/dashboard"
	"telltale/platform/httpapi"
	"telltale/platform/httpserver/httpservertest"
)

func serve(t *testing.T) *httpservertest.Server {
	t.Helper()
	_, err := dashboard.NewPage()
	require.NoError(t, err)
	return httpservertest.Serve(t, []httpapi.Routes{dashboard.Routes(dashboard.NewPage, nil, nil, authtest.Admin())})
}

func TestPage_IsAtThePathOfEachViewAndNowhereElse(t *testing.T) {
	t.Parallel()
	s := serve(t)
	for _, path := range []string{
		"/", "/signin", "/devices", "/devices/greenhouse-7", "/devices/a%2Fb?range=24h", "/compare?s=a:b", "/boards", "/boards/x",
		"/import", "/users", "/keys", "/operations", "/account",
	} {
		res := s.Ask(t, "GET", path)
		require.Equal(t, 200, res.StatusCode, path)
		require.Equal(t, "text/html; charset=utf-8", res.Header.Get("Content-Type"))
		require.Equal(t, 200, s.Ask(t, "HEAD", path).StatusCode)
		require.Equal(t, 405, s.Ask(t, "POST", path).StatusCode)
	}
	for _, path := range []string{"/nothing", "/devices/a/b", "/api/nothing", "/index.html", "/web/index.html", "/js/main.js", "/Devices"} {
		res := s.Ask(t, "GET", path)
		require.Equal(t, 404, res.StatusCode, path)
		require.Equal(t, "application/problem+json", res.Header.Get("Content-Type"))
	}
}

var loaded = regexp.MustCompile(`(?:href|src)="([^"]*)"`)

func TestPage_LoadsFromThisServerAlone(t *testing.T) {
	t.Parallel()
	s := serve(t)
	page, err := io.ReadAll(s.Ask(t, "GET", "/").Body)
	require.NoError(t, err)
	for _, match := range loaded.FindAllStringSubmatch(string(page), -1) {
		require.Regexp(t, `^/(assets|api)/`, match[1])
		if strings.HasPrefix(match[1], "/assets/") {
			require.Equal(t, 200, s.Ask(t, "GET", match[1]).StatusCode, match[1])
		}
	}
}

func TestVendor_FilesAreThoseThatTheirScriptMade(t *testing.T) {
	t.Parallel()
	sums, err := os.Open(filepath.Join("web", "vendor", "SHA256SUMS"))
	require.NoError(t, err)
	defer sums.Close()
	listed := 0
	for lines := bufio.NewScanner(sums); lines.Scan(); listed++ {
		sum, name, _ := strings.Cut(lines.Text(), "  ")
		content, err := os.ReadFile(filepath.Join("web", "vendor", name))
		require.NoError(t, err)
		got := sha256.Sum256(content)
		require.Equal(t, sum, hex.EncodeToString(got[:]), name)
	}
	made, err := filepath.Glob(filepath.Join("web", "vendor", "*.[jc]*s"))
	require.NoError(t, err)
	require.Len(t, made, listed)
}
