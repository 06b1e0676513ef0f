package main

import (
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// makeKey runs telltale key create, which must succeed, and returns the key.
func makeKey(t *testing.T, env []string, flags ...string) string {
	t.Helper()
	out, stderr, code := result(t, env, append([]string{"key", "create"}, flags...)...)
	require.Zero(t, code, stderr)
	require.Regexp(t, `^tt_[a-z2-7]{16}_[0-9A-Za-z]{43}\n$`, out, "nothing but the key is on standard output")
	require.Equal(t, "This API key is shown only now:\n", stderr)
	return strings.TrimSpace(out)
}

// post posts a reading of the device with the key and returns the status.
func (r *running) post(t *testing.T, key, device string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.url+"/api/readings",
		strings.NewReader(`{"readings":[{"device":"`+device+`","values":{"m":1}}]}`))
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+key)
	answer, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	return answer.StatusCode
}

func TestKeyCreate_WorksWhileTheServerRunsAndWhileItDoesNot(t *testing.T) {
	t.Parallel()
	env := []string{"DATA_DIR=" + filepath.Join(t.TempDir(), "data")}
	scopes := "--scope=readings:write,devices:write"
	first := start(t, env...)
	first.awaitReady(t)
	key := makeKey(t, env, "--device=greenhouse-7", scopes)
	require.Equal(t, http.StatusOK, first.post(t, key, "greenhouse-7"))
	require.Equal(t, http.StatusForbidden, first.post(t, key, "greenhouse-8"), "another device")
	require.Zero(t, first.stop(t, syscall.SIGTERM))

	key = makeKey(t, env, "--name=garden", "--device=greenhouse-*", "--device=pond", scopes)
	second := start(t, env...)
	second.awaitReady(t)
	require.Equal(t, http.StatusOK, second.post(t, key, "greenhouse-8"))
	require.Equal(t, http.StatusOK, second.post(t, key, "pond"))
	require.Zero(t, second.stop(t, syscall.SIGTERM))
}

func TestKeyCreate_SaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	embedded := []string{"DATA_DIR=" + filepath.Join(t.TempDir(), "data")}
	away := []string{"DB_HOST=127.0.0.1", "DB_PORT=" + freePort(t), "DB_USERNAME=u", "DB_DATABASE=d", "JWT_SECRET_KEY=" + strings.Repeat("k", 32)}
	for _, c := range []struct {
		name  string
		env   []string
		flags []string
		code  int
		says  string
	}{
		{"no scope", embedded, []string{"--device=a"}, misconfigured, "the required flag `--scope' was not specified"},
		{"no name", embedded, []string{"--scope=admin"}, failed, "--name is needed, unless --device names a single device"},
		{"a database that is away", away, []string{"--device=a", "--scope=admin"}, failed, "connect to the database: "},
		{"a new database", embedded, []string{"--device=a", "--scope=admin"}, failed, "start telltale once, or run telltale migrate"},
		{"an unknown scope", embedded, []string{"--device=a", "--scope=write"}, failed, "--scope must be among: devices:read "},
		{"two faults", embedded, []string{"--name= a", "--device=a b", "--scope=admin"}, failed, "--name must have 1 to 64 "},
		{"and the other", embedded, []string{"--name= a", "--device=a b", "--scope=admin"}, failed, "\n--device must be printable text without spaces"},
	} {
		out, stderr, code := result(t, c.env, append([]string{"key", "create"}, c.flags...)...)
		require.Equal(t, c.code, code, c.name)
		require.Contains(t, stderr, c.says, c.name)
		require.Empty(t, out, c.name)
	}
}
