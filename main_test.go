package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/platform/httpserver/httpservertest"
)

// binary is the whole program, built once for all tests.
var binary string

func TestMain(m *testing.M) {
	if flag.Parse(); testing.Short() {
		os.Exit(m.Run())
	}
	dir, err := os.MkdirTemp("", "telltale")
	if err != nil {
		panic(err)
	}
	binary = filepath.Join(dir, "telltale")
	if out, err := exec.CommandContext(context.Background(), "go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%s\n", out)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// telltale returns the program with arguments and an environment of nothing but these variables.
func telltale(t *testing.T, env []string, args ...string) *exec.Cmd {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: what takes the running program is not tested")
	}
	command := exec.CommandContext(t.Context(), binary, args...)
	command.Dir = t.TempDir()
	command.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}, env...)
	return command
}

// result runs the program to its end.
func result(t *testing.T, env []string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	command := telltale(t, env, args...)
	command.Stdout, command.Stderr = &out, &errs
	err := command.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return out.String(), errs.String(), exit.ExitCode()
	}
	require.NoError(t, err)
	return out.String(), errs.String(), 0
}

func TestHelp_ListsTheSubcommands(t *testing.T) {
	t.Parallel()
	out, _, code := result(t, nil, "--help")
	require.Zero(t, code)
	for _, name := range []string{"serve", "demo", "migrate", "key", "import", "export", "config", "healthcheck", "version"} {
		require.Contains(t, out, "\n  "+name+" ")
	}
	require.Contains(t, out, "telltale key create")
}

func TestVersion_IsPrinted(t *testing.T) {
	t.Parallel()
	out, _, code := result(t, nil, "version")
	require.Zero(t, code)
	require.Regexp(t, `^telltale \S+ \(go\S+ \S+\)\n$`, out)
}

func TestProgram_RefusesAnUnknownSubcommand(t *testing.T) {
	t.Parallel()
	_, stderr, code := result(t, nil, "sevre")
	require.Equal(t, misconfigured, code)
	require.Contains(t, stderr, "telltale: unexpected argument sevre")
}

func TestConfig_PrintsEffectiveValuesAndNoSecrets(t *testing.T) {
	t.Parallel()
	env := []string{"PORT=8123", "ADMIN_PASSWORD=hunter2hunter2", "JWT_SECRET_KEY=" + strings.Repeat("hunter2", 6)}
	out, stderr, code := result(t, env, "config")
	require.Zero(t, code, stderr)
	require.Contains(t, out, "\n  PORT = 8123\n")
	require.Contains(t, out, "\n  JWT_SECRET_KEY = set\n")
	require.Contains(t, out, "\n  DB_PASSWORD = not set\n")
	require.NotContains(t, out+stderr, "hunter2")
}

func TestSettings_ThatAreBadAreReportedTogetherByEveryCommandThatNeedsThem(t *testing.T) {
	t.Parallel()
	env := []string{"PORT=http", "DB_HOST=db.example", "DB_MIN_CONNECTIONS=30", "JWT_SECRET_KEY=hunter2"}
	for _, args := range [][]string{nil, {"serve"}, {"demo"}, {"migrate"}, {"key", "create", "--name=a", "--scope=admin"}, {"config"}, {"healthcheck"}} {
		_, stderr, code := result(t, env, args...)
		require.Equal(t, misconfigured, code, args)
		require.Equal(t, `telltale: 5 settings are at fault:
  PORT="http": a whole number from 1 to 65535 is allowed
  DB_USERNAME: needed with DB_HOST
  DB_DATABASE: needed with DB_HOST
  DB_MIN_CONNECTIONS="30": at most DB_MAX_CONNECTIONS (20) is allowed
  JWT_SECRET_KEY=(not shown): it has 7 bytes, and HS256 needs at least 32
`, stderr, args)
	}
}

func TestHealthcheck_FailsWhereNothingServes(t *testing.T) {
	t.Parallel()
	_, stderr, code := result(t, []string{"PORT=" + freePort(t)}, "healthcheck")
	require.Equal(t, failed, code)
	require.Contains(t, stderr, "connection refused")
}

// freePort returns a port on which only what the test starts listens.
func freePort(t *testing.T) string {
	t.Helper()
	return strconv.Itoa(httpservertest.Port(t))
}

// running is a program that serves.
type running struct {
	*exec.Cmd
	port   string
	url    string
	stdout *output
	stderr *output
}

// output collects what a program writes and lets others wait for it.
type output struct {
	mu   sync.Mutex
	more sync.Cond
	text strings.Builder
	over bool
}

func collect(from io.Reader) *output {
	o := &output{}
	o.more.L = &o.mu
	go func() {
		_, _ = io.Copy(o, from)
		o.mu.Lock()
		defer o.mu.Unlock()
		o.over = true
		o.more.Broadcast()
	}()
	return o
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.more.Broadcast()
	return o.text.Write(p)
}

// await returns everything written once the pattern matches it, or once there will be no more.
func (o *output) await(pattern string) string {
	return o.until(regexp.MustCompile(pattern).MatchString)
}

// all returns everything written once there will be no more.
func (o *output) all() string {
	return o.until(func(string) bool { return false })
}

func (o *output) until(enough func(text string) bool) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	for !o.over && !enough(o.text.String()) {
		o.more.Wait()
	}
	return o.text.String()
}

// start runs the program with these settings until it says that it serves.
func start(t *testing.T, env ...string) *running {
	t.Helper()
	port := freePort(t)
	r := &running{Cmd: telltale(t, append(env, "PORT="+port)), port: port, url: "http://127.0.0.1:" + port}
	stdout, err := r.StdoutPipe()
	require.NoError(t, err)
	stderr, err := r.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, r.Start())
	r.stdout, r.stderr = collect(stdout), collect(stderr)
	if !strings.Contains(r.stdout.await("Ctrl-C"), r.url+"/api/docs") {
		t.Fatalf("it does not serve:\n%s", r.stderr.all())
	}
	return r
}

// stop sends the signal and returns the exit code, which is not 0 when the end took more than ten seconds.
func (r *running) stop(t *testing.T, s os.Signal) int {
	t.Helper()
	require.NoError(t, r.Process.Signal(s))
	r.stdout.all() // Wait may be called once the output has been read
	r.stderr.all()
	_ = r.Wait() // the exit code is asked for
	return r.ProcessState.ExitCode()
}

// awaitReady returns once the program's own healthcheck passes.
func (r *running) awaitReady(t *testing.T) {
	t.Helper()
	for began := time.Now(); ; {
		_, stderr, code := result(t, []string{"PORT=" + r.port}, "healthcheck")
		if code == 0 {
			return
		}
		require.Less(t, time.Since(began), time.Minute, stderr)
	}
}

func TestProgram_LeadsANewcomerFromTheFirstStartToTheFirstAnswer(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	first := start(t, "DATA_DIR="+dir)
	shown := regexp.MustCompile(`\n    password +(\S+)\n`)
	said := first.stdout.await(shown.String())
	password := shown.FindStringSubmatch(said)
	require.NotNil(t, password, said)

	first.awaitReady(t)
	answer, err := http.PostForm(first.url+"/api/auth/token", url.Values{"username": {"admin"}, "password": {password[1]}})
	require.NoError(t, err)
	defer answer.Body.Close()
	require.Equal(t, http.StatusOK, answer.StatusCode)

	_, stderr, code := result(t, []string{"DATA_DIR=" + dir, "PORT=" + freePort(t)})
	require.Equal(t, failed, code, "a second instance on the same folder")
	require.Regexp(t, `telltale: .*`+regexp.QuoteMeta(dir), stderr)
	require.NotContains(t, stderr, "goroutine")

	require.Zero(t, first.stop(t, syscall.SIGTERM), first.stderr.all())
	require.NotContains(t, first.stderr.all(), password[1], "the password is not for the log")

	second := start(t, "DATA_DIR="+dir)
	require.Zero(t, second.stop(t, os.Interrupt))
	require.NotContains(t, second.stdout.all(), "password", "the password is shown once")
}

func TestProgram_StartsAgainAfterAKill(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	first := start(t, "DATA_DIR="+dir)
	first.stop(t, syscall.SIGKILL)
	second := start(t, "DATA_DIR="+dir)
	require.Zero(t, second.stop(t, syscall.SIGTERM), second.stderr.all())
}

func TestProgram_WaitsForItsDatabase(t *testing.T) {
	t.Parallel()
	lonely := start(t, "DB_HOST=127.0.0.1", "DB_PORT="+freePort(t), "DB_USERNAME=u", "DB_PASSWORD=hunter2", "DB_DATABASE=d",
		"JWT_SECRET_KEY="+strings.Repeat("k", 32), "ADMIN_PASSWORD=hunter2hunter2")
	_, stderr, code := result(t, []string{"PORT=" + lonely.port}, "healthcheck")
	require.Equal(t, failed, code)
	require.Contains(t, stderr, "/readyz answers 503 Service Unavailable")
	require.Zero(t, lonely.stop(t, syscall.SIGTERM))
	require.NotContains(t, stderr+lonely.stdout.all()+lonely.stderr.all(), "hunter2")
}

func TestProgram_ReportsATakenPortInOneLine(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	require.NoError(t, err)
	_, stderr, code := result(t, []string{"DATA_DIR=" + filepath.Join(t.TempDir(), "data"), "PORT=" + port, "LOG_LEVEL=error"})
	require.Equal(t, failed, code)
	require.Equal(t, "telltale: listening on 127.0.0.1:"+port+": listen tcp 127.0.0.1:"+port+": bind: address already in use\n", stderr)
}

func TestMigrate_MakesTheSchemaOfTheEmbeddedDatabase(t *testing.T) {
	t.Parallel()
	env := []string{"DATA_DIR=" + filepath.Join(t.TempDir(), "data")}
	out, stderr, code := result(t, env, "migrate")
	require.Zero(t, code, stderr)
	require.Contains(t, out, "migrated to version 1: ")
	out, stderr, code = result(t, env, "migrate")
	require.Zero(t, code, stderr)
	require.Equal(t, "the schema is up to date\n", out)
}
