//go:build e2e

package acceptance

import (
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"telltale/platform/postgres/pgtest"
)

// installed returns a folder with the npm packages, a copy of the file of testdata, and the OpenAPI document of the instance.
func (p *program) installed(name string, npmPackages ...string) string {
	p.t.Helper()
	dir := node(p.t, name, npmPackages...).Dir
	response, err := http.Get(p.url + "/api/openapi.json")
	require.NoError(p.t, err)
	defer response.Body.Close()
	document, err := io.ReadAll(response.Body)
	require.NoError(p.t, err)
	require.NoError(p.t, os.WriteFile(filepath.Join(dir, "openapi.json"), document, 0o600))
	return dir
}

// npx runs a program of the packages that are installed in the folder, and returns what it writes.
func npx(t *testing.T, dir string, environment []string, arguments ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), "npx", append([]string{"--no-install"}, arguments...)...)
	command.Dir = dir
	command.Env = append(os.Environ(), environment...)
	out, err := command.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return string(out)
}

func TestE2ENodeOpenAPI_RedoclyHasNothingToSay(t *testing.T) {
	t.Parallel()
	p := start(t, pgtest.Config(t))
	dir := p.installed("redocly.yaml", "@redocly/cli@1.34.20") // version 2 needs a newer Node.js than Debian 12 has
	said := npx(t, dir, []string{"REDOCLY_TELEMETRY=off", "REDOCLY_SUPPRESS_UPDATE_NOTICE=true"}, "redocly", "lint", "--config=redocly.yaml", "openapi.json")
	require.Contains(t, said, "Your API description is valid")
	require.NotContains(t, said, "warning")
}

func TestE2ENodeOpenAPI_AGeneratedClientIsTypedAndWorks(t *testing.T) {
	t.Parallel()
	p := start(t, pgtest.Config(t))
	p.post(1, 1)
	dir := p.installed("client.ts", "openapi-typescript@7.13.0", "openapi-fetch@0.17.0", "typescript@5.9.3", "@types/node@18.19.130")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "package.json"), []byte(`{"type":"module"}`), 0o600))
	npx(t, dir, nil, "openapi-typescript", "openapi.json", "--output", "telltale.ts")
	npx(t, dir, nil, "tsc", "--strict", "--noUncheckedIndexedAccess", "--target", "es2022", "--module", "nodenext", "--moduleDetection", "force", "client.ts")
	client := exec.CommandContext(t.Context(), "node", "client.js")
	client.Dir = dir
	client.Env = append(os.Environ(), "URL="+p.url, "TOKEN="+p.token)
	said, err := client.CombinedOutput()
	require.NoError(t, err, "%s", said)
	require.Equal(t, "history a m 2\nlatest a m 2\nstream a 2023-11-14T22:13:20.001Z 2\n", string(said))
}
