package acceptance

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"telltale/config"
	"telltale/modules/schema"
	"telltale/platform/httpserver/httpservertest"
	"telltale/platform/postgres/pgtest"
)

func TestMain(m *testing.M) {
	if flag.Parse(); testing.Short() {
		os.Exit(m.Run())
	}
	dir, err := os.MkdirTemp("", "telltale-acceptance-")
	if err != nil {
		panic(err)
	}
	binary = filepath.Join(dir, "telltale")
	build := []string{"build", "-tags", imageTags(), "-o", binary, "../.."}
	if raceDetector {
		build = slices.Insert(build, 1, "-race")
	}
	if out, err := exec.CommandContext(context.Background(), "go", build...).CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building the program: %v\n%s", err, out)
		os.Exit(1)
	}
	defer os.RemoveAll(dir)
	pgtest.Main(m, schema.New())
}

// imageTags returns the build tags of the image's binary, so that what is tested is what is shipped.
func imageTags() string {
	dockerfile, err := os.ReadFile("../../Dockerfile")
	if err != nil {
		panic(err)
	}
	return string(regexp.MustCompile(`go build -tags (\S+)`).FindSubmatch(dockerfile)[1])
}

// binary is the program, built once; with the race detector if the tests are.
var binary string

const (
	adminPassword = "correct horse battery staple"
	secretKey     = "acceptance tests sign their tokens with this key"
)

// program is a running instance.
type program struct {
	t     testing.TB
	db    config.DB
	dir   string // of its data, if it has any
	port  string
	url   string
	cmd   *exec.Cmd
	log   *output
	token string
	http  *http.Client // holds each exchange against the OpenAPI document
}

// output is what a process writes, which may be read meanwhile.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// start starts an instance on the database, an embedded one of its own if none is given, and waits until it is ready. It is
// killed at the end of the test if it still runs then.
func start(t testing.TB, db config.DB, settings ...string) *program {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: what takes the running program is not tested")
	}
	port := strconv.Itoa(httpservertest.Port(t))
	p := &program{t: t, db: db, dir: t.TempDir(), port: port, url: "http://127.0.0.1:" + port}
	p.start(settings...)
	t.Cleanup(p.kill)
	return p
}

// start starts the process, again if it has ended, and waits until it is ready.
func (p *program) start(settings ...string) {
	p.t.Helper()
	p.launch(settings...)
	p.await("/readyz", http.StatusOK)
	if p.http == nil {
		p.http = p.client()
		p.login()
	}
}

// await waits until the path is answered with the status.
func (p *program) await(path string, status int) {
	p.t.Helper()
	require.Eventually(p.t, func() bool { return p.answers(path) == status }, 3*time.Minute, 5*time.Millisecond,
		"%s is not answered %d:\n%s", path, status, p.log)
}

// answers returns the status that the path is answered with, or 0 when nothing listens.
func (p *program) answers(path string) int {
	response, err := http.Get(p.url + path)
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	return response.StatusCode
}

// launch starts the process.
func (p *program) launch(settings ...string) {
	p.t.Helper()
	p.log = &output{}
	p.cmd = p.process()
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	p.cmd.Env = append(p.cmd.Env, settings...)
	require.NoError(p.t, p.cmd.Start())
}

// process returns a process of the program with the instance's environment.
func (p *program) process(arguments ...string) *exec.Cmd {
	command := exec.CommandContext(context.Background(), binary, arguments...)
	command.Dir = p.dir
	command.Env = []string{
		"PATH=" + os.Getenv("PATH"), "PORT=" + p.port, "LOG_LEVEL=warn", "DB_MIN_CONNECTIONS=2",
		"JWT_SECRET_KEY=" + secretKey, "ADMIN_PASSWORD=" + adminPassword,
	}
	if !p.db.Embedded() {
		command.Env = append(command.Env, "DB_HOST="+p.db.Host, "DB_PORT="+strconv.Itoa(p.db.Port),
			"DB_USERNAME="+p.db.Username, "DB_PASSWORD="+p.db.Password, "DB_DATABASE="+p.db.Database)
	}
	return command
}

func (p *program) login() {
	p.t.Helper()
	response, err := p.http.PostForm(p.url+"/api/auth/token", url.Values{"username": {"admin"}, "password": {adminPassword}})
	require.NoError(p.t, err)
	defer response.Body.Close()
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	require.NoError(p.t, json.NewDecoder(response.Body).Decode(&answer))
	require.NotEmpty(p.t, answer.AccessToken)
	p.token = answer.AccessToken
}

// kill ends the process as a power cut would.
func (p *program) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait() // fails for a process that was killed, and for one that has been waited for
}

// stop ends the process as an operator would, and returns its exit code.
func (p *program) stop() int {
	require.NoError(p.t, p.cmd.Process.Signal(syscall.SIGTERM))
	_ = p.cmd.Wait() // the exit code says more
	return p.cmd.ProcessState.ExitCode()
}

// try sends a request and returns its status and body, or the error of the connection.
func (p *program) try(method, path, contentType string, body io.Reader) (int, []byte, error) {
	request, err := http.NewRequestWithContext(p.t.Context(), method, p.url+path, body)
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Authorization", "Bearer "+p.token)
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	response, err := p.http.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	return response.StatusCode, answer, err
}

// call sends a request that must succeed, and decodes its JSON into answer unless that is nil.
func (p *program) call(method, path, contentType, body string, answer any) {
	p.t.Helper()
	status, text, err := p.try(method, path, contentType, strings.NewReader(body))
	require.NoError(p.t, err)
	require.Equal(p.t, http.StatusOK, status, "%s\n%s", text, p.log)
	if answer != nil {
		require.NoError(p.t, json.Unmarshal(text, answer))
	}
}

// history is the JSON of a history answer.
type history struct {
	Seq    int64
	Series []struct {
		Device, Metric string
		Points         [][]float64
	}
}

// history asks for the history of everything, with the parameters given.
func (p *program) history(parameters string) map[string][][]float64 {
	p.t.Helper()
	var answer history
	p.call("GET", "/api/readings?from=0&to=4102444800000&"+parameters, "", "", &answer)
	series := map[string][][]float64{}
	for _, s := range answer.Series {
		series[s.Device+"/"+s.Metric] = s.Points
	}
	return series
}
